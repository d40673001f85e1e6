"""Benchmarks of the project against its peers; one command each, JSON out."""
