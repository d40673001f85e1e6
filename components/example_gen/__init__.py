"""The base of ItemGen and ImpressionGen."""
