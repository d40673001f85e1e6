"""TFX Trainer's entry point for the ranker."""

import hashlib
import json
import os
import tempfile

import tensorflow as tf
import tensorflow_transform as tft
from tfx.v1.components import FnArgs

from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.distribution import Distribution
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.features import label_parsing_spec
from semantic_id_ranking.trainer.ranker.features import read_examples
from semantic_id_ranking.trainer.ranker.features import read_labels
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.representations import parse_representation
from semantic_id_ranking.trainer.ranker.train import train
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

METRICS_FILE = "metrics.json"


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports a ranker.

    Where a cluster trains, every process of it runs this; the chief writes the results. Checkpoints
    lie beside `model_run_dir`, which is another one in every attempt, under a name that depends on
    all that the training does. So whoever tries again finds them; at success they are removed.

    Args:
        fn_args: Of TFX's arguments it reads:
            train_files, eval_files: Patterns of gzipped TFRecord files of joined examples.
            transform_output: What Transform wrote with `preprocessing.preprocessing_fn`.
            base_model: The tokenizer directory.
            custom_config: `ranker`, `representation` (their dataclasses' fields), `tasks` (a list
                of such), `context` (`categorical`, `numeric`: lists of columns) and
                `history_length` (history entries to use, at most).
            serving_model_dir: Where the SavedModel goes.
            model_run_dir: Where TensorBoard's logs and `metrics.json` go.
    """
    custom = fn_args.custom_config
    config = RankerConfig(**custom["ranker"])
    distribution = Distribution(config.distribution)
    # Shuffling depends on it beside its own seed, and has to repeat in another attempt.
    tf.keras.utils.set_random_seed(config.seed)
    representation_config = parse_representation(custom["representation"])
    tasks = [TaskConfig(**task) for task in custom["tasks"]]
    resources = SidTokenizer.load(fn_args.base_model)
    representation = representation_config.create(config.embedding_dim, resources)
    context = ContextTransform(tft.TFTransformOutput(fn_args.transform_output), **custom["context"])
    builder = FeatureBuilder(representation, context, custom["history_length"])
    label_spec = label_parsing_spec(tasks)
    labels = read_examples(
        fn_args.train_files, label_spec, config.batch_size, lambda raw: read_labels(raw, tasks)
    )

    def examples(patterns: list[str], shuffle_seed: int | None = None) -> tf.data.Dataset:
        return read_examples(
            patterns,
            {**builder.parsing_spec, **label_spec},
            config.batch_size,
            lambda raw: {**builder(raw), **read_labels(raw, tasks)},
            shuffle_seed,
            distribution.split,
        )

    checkpoints = _checkpoint_directory(fn_args)
    training = train(
        examples(fn_args.train_files, config.seed),
        representation,
        context.spec,
        tasks,
        config,
        LabelMoments.measure(labels, tasks),
        examples(fn_args.eval_files),
        fn_args.model_run_dir,
        checkpoints,
        distribution,
    )
    with tempfile.TemporaryDirectory() as thrown_away:
        # TensorFlow wants every process of a cluster to take part in saving.
        export_ranker(
            training.model,
            builder,
            resources.space,
            representation_config.name,
            fn_args.serving_model_dir if distribution.is_chief else thrown_away,
        )
    if not distribution.is_chief:
        return
    metrics = {
        "representation": representation_config.name,
        "table_rows": representation.table_rows,
        "epochs": config.epochs,
        "loss": training.loss,
        "seconds": training.seconds,
        "examples": training.examples,
        "evaluation": training.evaluation,
    }
    with tf.io.gfile.GFile(os.path.join(fn_args.model_run_dir, METRICS_FILE), "w") as file:
        json.dump(metrics, file)
    if tf.io.gfile.exists(checkpoints):
        tf.io.gfile.rmtree(checkpoints)


def _checkpoint_directory(fn_args: FnArgs) -> str:
    """The folder of the checkpoints of this training, in whatever attempt."""
    inputs = [
        fn_args.custom_config,
        sorted(fn_args.train_files),
        fn_args.transform_output,
        fn_args.base_model,
    ]
    name = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    attempts = os.path.dirname(fn_args.model_run_dir.rstrip("/"))
    return os.path.join(attempts, f"checkpoints-{name}")
