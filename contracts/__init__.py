"""What several rooms agree on: names of features, the SID space, the form of tables, errors."""
