"""AnomalyGate: a stop of the pipeline at data that violate its schema."""
