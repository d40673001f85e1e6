"""Exports a ranker for TensorFlow Serving."""

import os

import tensorflow as tf

from trainer.ranker.feature_builder import FeatureBuilder
from trainer.ranker.model import Ranker
from trainer.sid_space import SidSpace
from trainer.warmup import blank_example
from trainer.warmup import write_warmup_requests


def export_ranker(
    model: Ranker,
    builder: FeatureBuilder,
    space: SidSpace,
    representation: str,
    directory: str,
) -> None:
    """Writes a SavedModel with the signatures `serving_default`, `rank` and `info`.

    - `serving_default`: `examples`, strings [B] of serialized joined tf.Examples -> float32 [B] a
      task.
    - `rank`: one user and N candidates, `FeatureBuilder.request_spec` -> float32 [N] a task. The
      user's part is computed once.
    - `info`: no input -> `fingerprint`, `representation` (string) and `levels`, `codebook_size`
      (int64), scalars.

    It needs neither this package nor TFX to run; `sid_spm` needs tensorflow_text's ops, which
    TensorFlow Serving has.

    Args:
        model: A ranker that has been called at least once.
        builder: Makes the ranker's features.
        space: The SID space of the items.
        representation: Name of the representation.
        directory: Where the SavedModel goes, with `assets.extra/sid_space.json`.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(builder(tf.io.parse_example(examples, builder.parsing_spec)))

    @tf.function
    def rank(**request: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(builder(request))

    @tf.function(input_signature=[])
    def info() -> dict[str, tf.Tensor]:
        return {
            "fingerprint": tf.constant(space.fingerprint),
            "levels": tf.constant(space.levels, tf.int64),
            "codebook_size": tf.constant(space.codebook_size, tf.int64),
            "representation": tf.constant(representation),
        }

    # Only what the signatures touch: saving the Keras model itself would also trace and save its
    # every layer.
    module = tf.Module()
    module.ranker_variables = model.variables
    module.transform_layer = builder.transform_layer
    tf.saved_model.save(
        module,
        directory,
        {
            "serving_default": serve,
            "rank": rank.get_concrete_function(**builder.request_spec),
            "info": info,
        },
    )
    space.save(os.path.join(directory, "assets.extra"))
    example = blank_example(builder.parsing_spec)
    write_warmup_requests(directory, "ranker", {"examples": example})
