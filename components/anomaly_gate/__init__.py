"""AnomalyGate: stops the pipeline at data that violates its schema."""
