"""Semantic IDs in rankers of your own."""
