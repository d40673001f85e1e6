"""SidAnalyzer: the report on the Semantic IDs of a run."""
