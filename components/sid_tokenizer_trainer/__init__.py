"""SidTokenizerTrainer: SentencePiece over the Semantic IDs of the training impressions."""
