"""Configuration of the ranker: its tasks and its network."""

import math
from typing import Literal

import pydantic
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence

_STRICT = ConfigDict(extra="forbid")


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class TaskConfig:
    """One thing the ranker predicts.

    A binary task is trained on the log-loss, of weighted positives and sampled negatives where that
    is asked for. Both shift the log-odds that the network learns by a known constant, which is
    taken off again (He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD
    2014, for the sampling): the probability that is served is that of the impressions as they were
    logged, whatever the weight and the rates.

    Attributes:
        name: The model's output, and the name in every report.
        label: Column of the impressions that holds the label.
        type: "binary" (labels 0 and 1, a probability comes out) or "regression".
        weight: Weight of the task in the loss.
        positive_weight: Of a binary task: weight of a positive's loss, that of a negative being 1;
            "balanced" takes negatives over positives of the training impressions, so that both
            weigh the same.
        train_negative_rate: Of a binary task: share of the negatives that a training step counts,
            drawn anew in each. A training step is spared the impressions that count for no task, so
            time is saved only if all tasks are sampled. Evaluation takes all impressions.
        data_negative_rate: Of a binary task: share of the logged negatives that the input file
            holds, training and evaluation period alike, where they were sampled before. Metrics are
            those of the file.
    """

    name: str = "click"
    label: str = "click"
    type: Literal["binary", "regression"] = "binary"
    weight: float = Field(default=1.0, gt=0)
    positive_weight: float | Literal["balanced"] = 1.0
    train_negative_rate: float = Field(default=1.0, gt=0, le=1)
    data_negative_rate: float = Field(default=1.0, gt=0, le=1)

    @pydantic.field_validator("name")
    @classmethod
    def _names_a_feature(cls, value: str) -> str:
        if not value.isidentifier():
            raise ValueError("use letters, digits and _")
        return value

    @pydantic.field_validator(
        "positive_weight", mode="plain", json_schema_input_type=float | Literal["balanced"]
    )
    @classmethod
    def _number_or_balanced(cls, value: object) -> float | str:
        """Refuses all else, in one sentence rather than one a type."""
        if value == "balanced":
            return value
        if isinstance(value, int | float) and 0 < value < math.inf:
            return float(value)
        raise ValueError("give a number above 0, or balanced")

    @pydantic.field_validator("positive_weight", "train_negative_rate", "data_negative_rate")
    @classmethod
    def _of_a_binary_task(cls, value: float | str, info: pydantic.ValidationInfo) -> float | str:
        """Refuses what a regression cannot have."""
        if value != 1 and info.data.get("type") == "regression":
            raise ValueError("a regression has neither positives nor negatives; leave it out")
        return value


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class RankerConfig:
    """The network and its training.

    Attributes:
        model: Dotted name of a function of your own that makes the network, importable where the
            pipeline runs, such as my_package.my_ranker; see `network_factory`. It gets this
            configuration, and decides which of the fields on layers it follows. None takes
            `CrossNetwork`. The baselines have the same network.
        embedding_dim: Width of an item's vector.
        context_dim: Width of a categorical context column's vector.
        cross_layers: DCN-v2 cross layers over candidate, current item, history and context.
        history_pooling: What becomes of the history: "mean", the mean of its vectors; "attention",
            a mean of vectors and labels weighted by how well each entry fits the candidate, with
            similarities and labels so weighted as features of their own.
        bottom: What the tasks share above the cross layers: "shared", one stack of ReLU layers;
            "mmoe", `experts` such stacks, which each task mixes by a gate of its own (Ma et al.,
            KDD 2018).
        experts: Stacks of `bottom: mmoe`; "shared" has one whatever is asked.
        bottom_widths: Units of the ReLU layers of a stack; "mmoe" needs one at least.
        head_widths: Units of each task's own ReLU layers, before its one output.
        epochs: Passes over the training impressions.
        warm_epochs: Passes over the new training impressions where a training goes on from a
            previous one.
        batch_size: Impressions in a training step.
        learning_rate: AdamW's rate of the dense layers.
        weight_decay: AdamW's decay of the dense kernels: the part of a kernel that a step takes off
            it, over the learning rate. Tables, biases and gates are never decayed; 0 is plain Adam.
        table_optimizer: Of the embedding tables: "adagrad", which moves the rows of a batch
            alone; "adam", which moves every row in every step and wants a lower rate.
        table_learning_rate: Rate of the embedding tables.
        table_initial_accumulator: Adagrad's first sum of squared gradients. Keras's 0.1 outweighs
            the gradients that a row sees in a whole epoch, and rows then hardly move.
        l2: Weight of the squared norm of the dense kernels in the loss.
        precision: In what the cross and ReLU layers multiply: "float32", or for a GPU
            "mixed_bfloat16" or "mixed_float16" (with loss scaling). Weights, items' vectors,
            log-odds and served predictions are float32 always.
        distribution: How training is spread: "none"; "mirrored", over the GPUs of this machine;
            "multi_worker_mirrored", over the workers of TF_CONFIG in step; "parameter_server", over
            the workers of TF_CONFIG each at its own pace. See
            docs/how-to/train-on-many-machines.md.
        checkpoint_steps: Training steps between two checkpoints, from which a training that was
            interrupted goes on; a parameter server's are at the ends of epochs.
        seed: Seed of initial weights and of shuffling.
    """

    model: str | None = None
    embedding_dim: int = Field(default=32, ge=1)
    context_dim: int = Field(default=8, ge=1)
    cross_layers: int = Field(default=2, ge=0)
    history_pooling: Literal["mean", "attention"] = "mean"
    bottom: Literal["shared", "mmoe"] = "shared"
    experts: int = Field(default=4, ge=1)
    bottom_widths: tuple[int, ...] = (128, 64)
    head_widths: tuple[int, ...] = (32,)
    epochs: int = Field(default=2, ge=1)
    warm_epochs: int = Field(default=1, ge=1)
    batch_size: int = Field(default=1024, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    table_optimizer: Literal["adagrad", "adam"] = "adagrad"
    table_learning_rate: float = Field(default=0.05, gt=0)
    table_initial_accumulator: float = Field(default=1e-6, ge=0)
    l2: float = Field(default=0.0, ge=0)
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    distribution: Literal["none", "mirrored", "multi_worker_mirrored", "parameter_server"] = "none"
    checkpoint_steps: int = Field(default=2000, ge=1)
    seed: int = 0

    @pydantic.field_validator("model")
    @classmethod
    def _is_dotted(cls, value: str | None) -> str | None:
        """Refuses what can be no function of a module."""
        parts = [] if value is None else value.split(".")
        if len(parts) == 1 or not all(part.isidentifier() for part in parts):
            raise ValueError("name a function by its module, such as my_package.my_ranker")
        return value

    @pydantic.field_validator("bottom_widths")
    @classmethod
    def _experts_have_layers(
        cls, value: tuple[int, ...], info: pydantic.ValidationInfo
    ) -> tuple[int, ...]:
        """Refuses experts that do nothing."""
        if not value and info.data.get("bottom") == "mmoe":
            raise ValueError("bottom mmoe needs one layer at least")
        return value
