"""Semantic IDs in place of hashed item IDs for ranking models."""

import os

# TensorFlow Recommenders needs Keras 2. Keras reads this at TensorFlow's first import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
