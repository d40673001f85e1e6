"""What runs after what: configuration, DAG, runners, the command line `sid`. No numerics."""
