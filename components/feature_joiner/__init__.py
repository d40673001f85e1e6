"""FeatureJoiner: attaches Semantic IDs and histories to the impressions."""
