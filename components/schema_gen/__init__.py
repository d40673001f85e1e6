"""SchemaGen: a schema of the training data, relaxed for later days."""
