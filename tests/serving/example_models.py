"""SavedModels that take tf.Examples, for Classify, Regress and MultiInference."""

import pathlib

import tensorflow as tf

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"


def read(serialized):
    """The features x and y [B] of serialized examples; y is 0 where it is absent."""
    parsed = tf.io.parse_example(
        serialized,
        {
            "x": tf.io.FixedLenFeature([], tf.float32),
            "y": tf.io.FixedLenFeature([], tf.float32, 0.0),
        },
    )
    return parsed["x"], parsed["y"]


class ExampleModel(tf.Module):
    """regress: x + y; classify: classes "low" and "high" with scores -x and x."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def regress(self, inputs):
        x, y = read(inputs)
        return {"outputs": x + y}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        x, _ = read(inputs)
        classes = tf.tile(tf.constant([["low", "high"]]), [tf.size(x), 1])
        return {"classes": classes, "scores": tf.stack([-x, x], axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def total(self, inputs):
        return {"outputs": tf.reduce_sum(read(inputs)[0], keepdims=True)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def named_otherwise(self, examples):
        return {"outputs": read(examples)[0]}

    def signatures(self):
        return {
            "serving_default": self.regress,
            "classify": self.classify,
            "total": self.total,
            "named_otherwise": self.named_otherwise,
        }


def export_tf1(base_path: pathlib.Path, version: int) -> None:
    """Writes a TF1 SavedModel, whose signatures share one input; regress: x + 1."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        inputs = tf.compat.v1.placeholder(tf.string, [None], name="tf_example")
        x, _ = read(inputs)
        scores = tf.stack([-x, x], axis=1)
        classes = tf.tile(tf.constant([["low", "high"]]), [tf.size(x), 1])
        info = tf.compat.v1.saved_model.build_tensor_info
        make = tf.compat.v1.saved_model.build_signature_def
        builder = tf.compat.v1.saved_model.Builder(str(base_path / str(version)))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {
                "regress": make({"inputs": info(inputs)}, {"outputs": info(x + 1)}, REGRESS),
                "classify": make(
                    {"inputs": info(inputs)},
                    {"classes": info(classes), "scores": info(scores)},
                    CLASSIFY,
                ),
            },
        )
        builder.save()


def example(**values: float) -> tf.train.Example:
    """An example of float features."""
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
                for name, value in values.items()
            }
        )
    )
