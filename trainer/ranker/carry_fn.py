"""A ranker in a refreshed SID space, from files to files, before it is trained there."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.ranker.carry_state import carry_state
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.features import label_parsing_spec
from semantic_id_ranking.trainer.ranker.features import read_examples
from semantic_id_ranking.trainer.ranker.features import read_labels
from semantic_id_ranking.trainer.ranker.ranker_state import RankerState
from semantic_id_ranking.trainer.ranker.ranker_state import write_ranker_state
from semantic_id_ranking.trainer.ranker.representations import parse_representation
from semantic_id_ranking.trainer.ranker.train import create_ranker
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer


@dataclasses.dataclass(frozen=True)
class CarryArguments:
    """What the carrying reads and writes.

    Attributes:
        examples: Pattern of joined examples of the new space; of them only the form is read.
        transform_output: The Transform graph of the new space.
        tokenizer: The tokenizer directory of the new space.
        previous: The state of the previous training.
        previous_tokenizer: The tokenizer directory of its space.
        serving_model_dir: Where the SavedModel goes.
        ranker_state_dir: Where the state goes, from which a training goes on.
        custom_config: As of `TrainingArguments`.
    """

    examples: str
    transform_output: str
    tokenizer: str
    previous: str
    previous_tokenizer: str
    serving_model_dir: str
    ranker_state_dir: str
    custom_config: Mapping[str, Any]


def carry_fn(arguments: CarryArguments) -> None:
    """Carries the state of a ranker into another SID space, and exports the ranker that it gives.

    The items of the new tokenizer are the known ones then, those of the previous trainings that it
    lacks are not; moments of labels stay. It runs on one machine, however trainings are spread.

    Args:
        arguments: What it reads and writes.

    Raises:
        InputError: The previous ranker is of another configuration, or of another space than its
            tokenizer.
    """
    custom = arguments.custom_config
    config = dataclasses.replace(RankerConfig(**custom["ranker"]), distribution="none")
    tf.keras.utils.set_random_seed(config.seed)
    representation_config = parse_representation(custom["representation"])
    tasks = [TaskConfig(**task) for task in custom["tasks"]]
    old, new = (
        SidTokenizer.load(folder) for folder in (arguments.previous_tokenizer, arguments.tokenizer)
    )
    previous = RankerState(arguments.previous)
    previous.require_same(old.space.fingerprint, custom["representation"], custom["tasks"])
    _require_same_sizes(old, new)
    representation = representation_config.create(config.embedding_dim, new)
    context = ContextTransform(
        tft.TFTransformOutput(arguments.transform_output), **custom["context"]
    )
    builder = FeatureBuilder(
        representation, context, custom["history_length"], custom["history_labels"]
    )
    data = read_examples(
        [arguments.examples],
        {**builder.parsing_spec, **label_parsing_spec(tasks)},
        config.batch_size,
        lambda raw: {**builder(raw), **read_labels(raw, tasks)},
    )

    def carry(model: Any) -> None:
        carry_state(previous, model, context.categories, old, new)

    moments = previous.description.moments
    model = create_ranker(data, representation, context.spec, tasks, config, moments, carry)
    export_ranker(
        model, builder, new.space, representation_config.name, arguments.serving_model_dir
    )
    description = dataclasses.replace(previous.description, fingerprint=new.space.fingerprint)
    write_ranker_state(arguments.ranker_state_dir, description, model, context.categories)


def _require_same_sizes(old: SidTokenizer, new: SidTokenizer) -> None:
    sizes = [(one.space.levels, one.space.codebook_size) for one in (old, new)]
    if sizes[0] != sizes[1]:
        raise InputError(
            f"the previous ranker is of {sizes[0][0]} levels of {sizes[0][1]} codes and the SID "
            f"tokenizer of {sizes[1][0]} of {sizes[1][1]}; a refresh keeps the sizes"
        )
