"""Configuration of each representation, one dataclass a file; none imports TensorFlow."""
