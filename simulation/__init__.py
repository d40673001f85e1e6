"""Data sets in the input contract whose true probabilities are known."""
