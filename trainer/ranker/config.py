"""Configuration of the ranker: its tasks, its item representation and its network."""

from typing import Literal

from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class TaskConfig:
    """One thing the ranker predicts.

    Attributes:
        name: The model's output, and the name in every report.
        label: Column of the impressions that holds the label.
        type: "binary" (labels 0 and 1, a probability comes out) or "regression".
        weight: Weight of the task in the loss.
    """

    name: str = "click"
    label: str = "click"
    type: Literal["binary", "regression"] = "binary"
    weight: float = Field(1.0, gt=0)


@dataclass(frozen=True, config=_STRICT)
class RepresentationConfig:
    """How the ranker sees an item.

    Attributes:
        name: A name in the registry of `trainer.ranker.representations`.
        rows: Rows of the embedding table. `sid_unigram` has levels x codebook_size rows whatever is
            asked.
    """

    name: Literal["random_hash", "sid_spm", "sid_unigram"] = "sid_spm"
    rows: int = Field(4096, ge=1)


@dataclass(frozen=True, config=_STRICT)
class RankerConfig:
    """The network and its training.

    Attributes:
        embedding_dim: Width of an item's vector.
        context_dim: Width of a categorical context column's vector.
        cross_layers: DCN-v2 cross layers over candidate, current item, history and context.
        bottom_widths: Units of the shared ReLU layers.
        head_widths: Units of each task's own ReLU layers, before its one output.
        epochs: Passes over the training impressions.
        batch_size: Impressions in a training step.
        learning_rate: Adam's rate of the dense layers.
        table_learning_rate: Adagrad's rate of the embedding tables.
        table_initial_accumulator: Adagrad's first sum of squared gradients. Keras's 0.1 outweighs
            the gradients that a row sees in a whole epoch, and rows then hardly move.
        l2: Weight of the squared norm of the dense kernels in the loss.
        seed: Seed of initial weights and of shuffling.
    """

    embedding_dim: int = Field(32, ge=1)
    context_dim: int = Field(8, ge=1)
    cross_layers: int = Field(2, ge=0)
    bottom_widths: tuple[int, ...] = (128, 64)
    head_widths: tuple[int, ...] = (32,)
    epochs: int = Field(2, ge=1)
    batch_size: int = Field(1024, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    table_learning_rate: float = Field(0.05, gt=0)
    table_initial_accumulator: float = Field(1e-6, ge=0)
    l2: float = Field(0.0, ge=0)
    seed: int = 0
