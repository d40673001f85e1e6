"""SavedModels of x / 2 + 2, with the signature names of TensorFlow Serving's test models."""

import pathlib

import tensorflow as tf

VERSION = 123


def _read(serialized):
    return tf.io.parse_example(serialized, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]


class HalfPlus(tf.Module):
    """A TF2 export: y = x / 2 + plus, of tensors and of tf.Examples."""

    def __init__(self, plus: float = 2.0):
        super().__init__()
        self.half = tf.Variable(0.5)
        self.plus = tf.Variable(plus)

    @tf.function(input_signature=[tf.TensorSpec([1], tf.float32, name="x")])
    def predict(self, x):
        return {"y": self.half * x + self.plus}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def regress(self, inputs):
        return {"outputs": self.half * _read(inputs) + self.plus}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        return {"scores": self.half * _read(inputs) + self.plus}


def export_tf2(base_path: pathlib.Path) -> pathlib.Path:
    """Writes version 123 of a TF2 export."""
    model = HalfPlus()
    tf.saved_model.save(
        model,
        str(base_path / f"{VERSION:08}"),
        {
            "serving_default": model.predict,
            "regress_x_to_y": model.regress,
            "classify_x_to_y": model.classify,
        },
    )
    return base_path


def export_tf1(base_path: pathlib.Path, plus: float = 2.0) -> pathlib.Path:
    """Writes version 123 of a TF1 export, whose x is declared [-1, 1] and read from tf.Examples."""
    info = tf.compat.v1.saved_model.build_tensor_info
    make = tf.compat.v1.saved_model.build_signature_def
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        examples = tf.compat.v1.placeholder(tf.string, [None], name="tf_example")
        x = tf.identity(_read(examples), name="x")
        half = tf.compat.v1.get_variable("half", initializer=0.5, use_resource=True)
        y = tf.identity(half * x + plus, name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        builder = tf.compat.v1.saved_model.Builder(str(base_path / f"{VERSION:08}"))
        method = "tensorflow/serving/"
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {
                "serving_default": make({"x": info(x)}, {"y": info(y)}, f"{method}predict"),
                "regress_x_to_y": make(
                    {"inputs": info(examples)}, {"outputs": info(y)}, f"{method}regress"
                ),
                "classify_x_to_y": make(
                    {"inputs": info(examples)}, {"scores": info(y)}, f"{method}classify"
                ),
            },
        )
        builder.save()
    return base_path
