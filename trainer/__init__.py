"""The models: RQ-VAE, SID tokenizer, ranker. TensorFlow only; TFX appears in each `run_fn`."""

import os

# TensorFlow Recommenders needs Keras 2. Keras reads this at TensorFlow's first import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
