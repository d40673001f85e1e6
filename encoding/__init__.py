"""Batch encoding on Beam: embeddings in, a folder of Semantic IDs out."""
