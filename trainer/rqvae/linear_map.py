"""The encoder and the decoder."""

import tensorflow as tf


class LinearMap(tf.Module):
    """y = x·W + b.

    Attributes:
        kernel: float32 [input_dim, output_dim], W.
        bias: float32 [output_dim], b.
    """

    def __init__(self, input_dim: int, output_dim: int):
        """Makes the variables; W is the identity, cropped or padded with zeros to fit.

        Args:
            input_dim: Width of the input.
            output_dim: Width of the output.
        """
        super().__init__()
        self.kernel = tf.Variable(tf.eye(input_dim, output_dim), name="kernel")
        self.bias = tf.Variable(tf.zeros(output_dim), name="bias")

    def __call__(self, rows: tf.Tensor) -> tf.Tensor:
        """Applies the map.

        Args:
            rows: float32 [B, input_dim].

        Returns:
            float32 [B, output_dim].
        """
        return tf.matmul(rows, self.kernel) + self.bias
