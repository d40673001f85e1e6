"""Releaser: Semantic IDs and blessed models become what is served, all of it or nothing."""
