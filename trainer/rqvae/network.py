"""The encoder's and the decoder's network."""

import itertools

import numpy as np
import tensorflow as tf


class Network(tf.Module):
    """A linear map, plus a branch of ReLU layers if widths are given: y = x·W + b + mlp(x).

    The branch's last layer starts at zero, so that the network starts as the linear map alone and a
    k-means start of the codebooks, made at that moment, stays valid.

    Attributes:
        kernel: float32 [input_dim, output_dim], W.
        bias: float32 [output_dim], b.
        hidden: The branch's (kernel, bias) pairs, the first layer first.
    """

    def __init__(self, input_dim: int, widths: tuple[int, ...], output_dim: int, seed: int):
        """Makes the variables; the linear map is the identity, cut or padded with zeros to fit.

        Args:
            input_dim: Width of the input.
            widths: Units of the branch's hidden ReLU layers; empty for no branch.
            output_dim: Width of the output.
            seed: Seed of the branch's Glorot start.
        """
        super().__init__()
        self.kernel = tf.Variable(tf.eye(input_dim, output_dim), name="kernel")
        self.bias = tf.Variable(tf.zeros(output_dim), name="bias")
        self.hidden = []
        random = np.random.default_rng(seed)
        sizes = (input_dim, *widths, output_dim) if widths else ()
        for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            limit = np.sqrt(6.0 / (fan_in + fan_out)) if layer < len(widths) else 0.0
            kernel = random.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)
            self.hidden.append(
                (
                    tf.Variable(kernel, name=f"hidden_kernel_{layer}"),
                    tf.Variable(tf.zeros(fan_out), name=f"hidden_bias_{layer}"),
                )
            )

    def __call__(self, rows: tf.Tensor) -> tf.Tensor:
        """Applies the network.

        Args:
            rows: float32 [B, input_dim].

        Returns:
            float32 [B, output_dim].
        """
        result = tf.matmul(rows, self.kernel) + self.bias
        branch = rows
        for layer, (kernel, bias) in enumerate(self.hidden):
            branch = tf.matmul(branch, kernel) + bias
            if layer < len(self.hidden) - 1:
                branch = tf.nn.relu(branch)
        return result + branch if self.hidden else result
