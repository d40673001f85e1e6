"""Evaluation of rankers: metrics, intervals and slices, as pure code over arrays."""
