"""The daily mode: a state that moves on by days, and a ranker that goes on training."""
