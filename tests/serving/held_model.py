"""A SavedModel whose calls wait, in the process that saved it."""

import threading

import tensorflow as tf


class HeldModel(tf.Module):
    """Gives back what it got once it is let go."""

    def __init__(self):
        super().__init__()
        self.entered = threading.Semaphore(0)
        self.let_go = threading.Event()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="a")])
    def hold(self, a):
        def wait(values):
            self.entered.release()
            assert self.let_go.wait(30)
            return values

        return {"b": tf.numpy_function(wait, [a], tf.float32)}

    def signatures(self):
        return {"serving_default": self.hold}
