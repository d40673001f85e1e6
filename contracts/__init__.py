"""Contracts between folders: feature names, the SID space, table schemas, errors."""
