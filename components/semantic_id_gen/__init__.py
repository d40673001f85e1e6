"""SemanticIdGen: Beam batch encoding of items with the RQ-VAE's SavedModel."""
