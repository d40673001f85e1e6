"""ImpressionGen: the impression log as tf.Examples, split by time."""
