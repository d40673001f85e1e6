"""The pipeline: configuration, DAG, runners, release. No numerics."""
