"""Export of a ranker for TensorFlow Serving."""

import os

import tensorflow as tf

from semantic_id_ranking.contracts.feature_names import weight_input
from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.many_users import CANDIDATE_COUNT
from semantic_id_ranking.trainer.ranker.many_users import flatten_users
from semantic_id_ranking.trainer.ranker.many_users import many_users_spec
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.warmup import blank_example
from semantic_id_ranking.trainer.warmup import write_warmup_requests

_CANDIDATE_INDEX = "candidate_index"


def export_ranker(
    model: Ranker,
    builder: FeatureBuilder,
    space: SidSpace,
    representation: str,
    directory: str,
) -> None:
    """Writes a SavedModel with its signatures.

    - `serving_default`: `examples`, strings [B] of serialized joined tf.Examples -> float32 [B] a
      task.
    - `rank`: one user and N candidates, `FeatureBuilder.request_spec` -> float32 [N] a task. The
      user's part is computed once.
    - `rank_top_k`: the same, with `top_k`, int32, and `weight_input(task)`, float32, scalars -> the
      candidates with the largest weighted sums of their scores, best first, equals in the order of
      the request: `candidate_index`, int32 [min(top_k, N)], and float32 of that length a task.
    - `rank_many`: U users and up to C candidates each, `many_users_spec` -> float32 [U, C] a task,
      0 beyond the user's `candidate_count`.
    - `info`: no input -> `fingerprint`, `representation` (string) and `levels`, `codebook_size`
      (int64), scalars.

    It needs neither this package nor TFX to run; `sid_spm` needs tensorflow_text's ops, which
    TensorFlow Serving has.

    Args:
        model: A ranker that has been called at least once.
        builder: Makes the ranker's features.
        space: The SID space of the items.
        representation: Name of the representation.
        directory: Where the SavedModel goes, with `sid_space.json` and `SHA256SUMS` in
            `assets.extra/`.

    Raises:
        ValueError: A task is named as an output of `rank_top_k` is.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(builder(tf.io.parse_example(examples, builder.parsing_spec)))

    @tf.function
    def rank(**request: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(builder(request))

    @tf.function
    def rank_top_k(top_k: tf.Tensor, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = model(builder(inputs))
        weighted = tf.add_n(
            [inputs[weight_input(task)] * values for task, values in scores.items()]
        )
        index = tf.math.top_k(weighted, tf.minimum(top_k, tf.size(weighted))).indices
        best = {task: tf.gather(values, index) for task, values in scores.items()}
        return best | {_CANDIDATE_INDEX: index}

    @tf.function
    def rank_many(**request: tf.Tensor) -> dict[str, tf.Tensor]:
        features = builder(flatten_users(request, builder.request_spec))
        of_user = next(request[f"{CANDIDATE}_{field}"] for field in model.representation.fields)
        there = tf.sequence_mask(request[CANDIDATE_COUNT], tf.shape(of_user)[1])
        return {
            task: tf.where(there, tf.reshape(values, tf.shape(there)), 0.0)
            for task, values in model(features, grouped=True).items()
        }

    @tf.function(input_signature=[])
    def info() -> dict[str, tf.Tensor]:
        return {
            "fingerprint": tf.constant(space.fingerprint),
            "levels": tf.constant(space.levels, tf.int64),
            "codebook_size": tf.constant(space.codebook_size, tf.int64),
            "representation": tf.constant(representation),
        }

    with model.representation.folded():
        rank_of_request = rank.get_concrete_function(**builder.request_spec)
        tasks = rank_of_request.structured_outputs
        if _CANDIDATE_INDEX in tasks:
            raise ValueError(f"no task may be named {_CANDIDATE_INDEX}, an output of rank_top_k")
        weights = {
            weight_input(task): tf.TensorSpec([], tf.float32, weight_input(task)) for task in tasks
        }
        signatures = {
            "serving_default": serve.get_concrete_function(),
            "rank": rank_of_request,
            "rank_top_k": rank_top_k.get_concrete_function(
                tf.TensorSpec([], tf.int32, "top_k"), **builder.request_spec, **weights
            ),
            "rank_many": rank_many.get_concrete_function(**many_users_spec(builder.request_spec)),
            "info": info.get_concrete_function(),
        }
        # Only what the signatures read: saving the Keras model itself would also trace and save its
        # every layer.
        module = tf.Module()
        read = {id(one): one for function in signatures.values() for one in function.variables}
        module.ranker_variables = list(read.values())
        module.transform_layer = builder.transform_layer
        tf.saved_model.save(module, directory, signatures)
    space.save(os.path.join(directory, "assets.extra"))
    example = blank_example(builder.parsing_spec)
    write_warmup_requests(directory, "ranker", {"examples": example})
    write_file_digests(directory)
