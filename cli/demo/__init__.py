"""The demonstration on public data: `make demo`."""
