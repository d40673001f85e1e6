"""What runs after what: configuration, DAG, runners, the command line `sid`. No numerics."""

import os

# TensorFlow Recommenders needs Keras 2. Keras reads this at TensorFlow's first import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
