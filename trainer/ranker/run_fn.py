"""Training of a ranker from files to files."""

import dataclasses
import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

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
from semantic_id_ranking.trainer.ranker.new_items import new_items
from semantic_id_ranking.trainer.ranker.ranker_state import RankerState
from semantic_id_ranking.trainer.ranker.ranker_state import TrainingDescription
from semantic_id_ranking.trainer.ranker.ranker_state import write_ranker_state
from semantic_id_ranking.trainer.ranker.representations import parse_representation
from semantic_id_ranking.trainer.ranker.train import train
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

METRICS_FILE = "metrics.json"


@dataclasses.dataclass(frozen=True)
class TrainingArguments:
    """What a training of the pipeline reads and writes.

    Attributes:
        train_files: Patterns of gzipped TFRecord files of joined examples; one pattern after the
            other is read and shuffled.
        eval_files: The same, to evaluate on after every epoch.
        days: What the examples are of: the span of each pattern of `train_files`.
        transform_output: What Transform wrote with `preprocessing.preprocessing_fn`.
        tokenizer: The tokenizer directory.
        previous: The state of the previous training, from which this one goes on; None trains from
            random weights.
        serving_model_dir: Where the SavedModel goes.
        model_run_dir: Where TensorBoard's logs and `metrics.json` go.
        ranker_state_dir: Where the state of this training goes.
        custom_config: `ranker`, `representation` (their dataclasses' fields), `tasks` (a list of
            such), `context` (what `ContextTransform` takes by name), `history_length` (history
            entries to use, at most) and `history_labels` (the tasks whose labels of the history's
            impressions are features).
    """

    train_files: Sequence[str]
    eval_files: Sequence[str]
    days: Sequence[int]
    transform_output: str
    tokenizer: str
    previous: str | None
    serving_model_dir: str
    model_run_dir: str
    ranker_state_dir: str
    custom_config: Mapping[str, Any]


def run_fn(arguments: TrainingArguments) -> None:
    """Trains and exports a ranker.

    Where a cluster trains, every process of it runs this; the chief writes the results. Checkpoints
    lie beside `model_run_dir`, which is another one in every attempt, under a name that depends on
    all that the training does. So whoever tries again finds them; at success they are removed.

    A training that goes on from a previous one has its weights, optimizers and moments of labels.
    Items and categories that it sees first get rows of their own; see `RankerState.restore`.

    Args:
        arguments: What it reads and writes.

    Raises:
        SidSpaceMismatchError: The previous ranker is of another SID space.
        InputError: The previous ranker is of another configuration, or `ranker.model` names no
            function that makes a network.
    """
    custom = arguments.custom_config
    config = RankerConfig(**custom["ranker"])
    distribution = Distribution(config.distribution)
    # Shuffling depends on it beside its own seed, and has to repeat in another attempt.
    tf.keras.utils.set_random_seed(config.seed)
    representation_config = parse_representation(custom["representation"])
    tasks = [TaskConfig(**task) for task in custom["tasks"]]
    resources = SidTokenizer.load(arguments.tokenizer)
    previous = None
    if arguments.previous is not None:
        previous = RankerState(arguments.previous)
        previous.require_same(
            resources.space.fingerprint, custom["representation"], custom["tasks"]
        )
        config = dataclasses.replace(config, epochs=config.warm_epochs)
        added = _added_items(arguments.train_files, resources, previous)
        resources = dataclasses.replace(resources, added=added)
    representation = representation_config.create(config.embedding_dim, resources)
    context = ContextTransform(
        tft.TFTransformOutput(arguments.transform_output), **custom["context"]
    )
    history_labels = custom["history_labels"]
    builder = FeatureBuilder(representation, context, custom["history_length"], history_labels)
    label_spec = label_parsing_spec(tasks)

    def examples(patterns: Sequence[str], shuffle_seed: int | None = None) -> tf.data.Dataset:
        days = [
            read_examples(
                [pattern],
                {**builder.parsing_spec, **label_spec},
                config.batch_size,
                lambda raw: {**builder(raw), **read_labels(raw, tasks)},
                shuffle_seed,
                distribution.split,
            )
            for pattern in patterns
        ]
        return functools.reduce(tf.data.Dataset.concatenate, days)

    if previous is not None:
        moments = previous.description.moments
    else:
        labels = read_examples(
            arguments.train_files,
            label_spec,
            config.batch_size,
            lambda raw: read_labels(raw, tasks),
        )
        moments = LabelMoments.measure(labels, tasks, of_all=bool(history_labels))
    checkpoints = _checkpoint_directory(arguments)
    training = train(
        examples(arguments.train_files, config.seed),
        representation,
        context.spec,
        tasks,
        config,
        moments,
        examples(arguments.eval_files),
        arguments.model_run_dir,
        checkpoints,
        distribution,
        functools.partial(previous.restore, categories=context.categories) if previous else None,
    )
    metrics = {
        "representation": representation_config.name,
        "table_rows": representation.table_rows,
        "epochs": config.epochs,
        "loss": training.loss,
        "seconds": training.seconds,
        "examples": training.examples,
        "evaluation": training.evaluation,
    }
    days = [*(previous.description.days if previous else []), *arguments.days]
    # The same training has the same state, however long it takes.
    lasting = {name: value for name, value in metrics.items() if name != "seconds"}
    description = TrainingDescription(
        resources.space.fingerprint,
        custom["representation"],
        custom["tasks"],
        moments,
        days,
        lasting,
    )
    with tempfile.TemporaryDirectory() as thrown_away:
        # TensorFlow wants every process of a cluster to take part in saving.
        export_ranker(
            training.model,
            builder,
            resources.space,
            representation_config.name,
            arguments.serving_model_dir if distribution.is_chief else thrown_away,
        )
    if not distribution.is_chief:
        return
    write_ranker_state(
        arguments.ranker_state_dir,
        description,
        training.model,
        context.categories,
        resources.added,
    )
    with tf.io.gfile.GFile(os.path.join(arguments.model_run_dir, METRICS_FILE), "w") as file:
        json.dump(metrics, file)
    if tf.io.gfile.exists(checkpoints):
        tf.io.gfile.rmtree(checkpoints)


def _added_items(
    patterns: Sequence[str], resources: SidTokenizer, previous: RankerState
) -> ImpressedItems | None:
    """The items that trainings after the first one saw first, in their order."""
    earlier = previous.added
    known = [items for items in (resources.items, earlier) if items is not None]
    found = new_items(patterns, resources.space, known)
    if earlier is None or found is None:
        return earlier or found
    return earlier.followed_by(found)


def _checkpoint_directory(arguments: TrainingArguments) -> str:
    """The folder of the checkpoints of this training, in whatever attempt."""
    inputs = [
        arguments.custom_config,
        arguments.train_files,
        arguments.transform_output,
        arguments.tokenizer,
        arguments.previous,
    ]
    name = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    attempts = os.path.dirname(arguments.model_run_dir.rstrip("/"))
    return os.path.join(attempts, f"checkpoints-{name}")
