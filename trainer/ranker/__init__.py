"""The ranker: a TFRS multitask model over interchangeable item representations."""
