"""FeatureJoiner: Semantic IDs and histories joined to the impressions."""
