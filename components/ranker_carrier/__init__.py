"""RankerCarrier: a ranker's state, carried into a refreshed SID space."""
