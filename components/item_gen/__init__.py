"""ItemGen: the file of items as tf.Examples, split by the time of creation."""
