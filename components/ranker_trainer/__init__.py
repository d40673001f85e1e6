"""RankerTrainer: a ranker, from random weights or from the previous training."""
