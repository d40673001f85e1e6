"""What runs beside the model server: the client, the store of Semantic IDs and a local server.

Knows the SavedModels by their signatures and imports nothing of the trainer.
"""

import os

# TensorFlow Recommenders needs Keras 2. Keras reads this at TensorFlow's first import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
