"""The RQ-VAE: content embeddings to Semantic IDs and back."""
