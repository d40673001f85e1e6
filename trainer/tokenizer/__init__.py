"""The SID tokenizer: Semantic IDs to SentencePiece pieces."""
