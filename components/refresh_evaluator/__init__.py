"""RefreshEvaluator: what a refresh of the SID space keeps and moves, and whether it is good."""
