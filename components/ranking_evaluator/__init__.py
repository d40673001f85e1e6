"""RankingEvaluator: scores of rankers as data, their metrics by slice, and the blessing."""
