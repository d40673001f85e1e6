"""Configuration of the RQ-VAE."""

from typing import Any
from typing import Literal

import pydantic
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from semantic_id_ranking.contracts.one_sentence import one_sentence

#: What each preset sets of the fields that are not given. `docs/experiments/rqvae.md` says
#: what each departure from the paper gains.
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {
        "levels": 8,
        "codebook_size": 2048,
        "latent_dim": 256,
        "standardize": "dimension",
        "gradient": "straight_through",
        "codebook_weight": 1.0,
        "kmeans_mixtures": 0,
        "reset_dead_codes": "batch",
        "mixup": 0.0,
        "network_learning_rate": 3e-4,
    },
    "rq_kmeans": {"epochs": 0, "kmeans_iterations": 10},
}


@one_sentence
@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class RqVaeConfig:
    """The computation of Semantic IDs from content embeddings.

    Attributes:
        preset: Values of the fields that are not given: "default"; "paper", the recipe of Singh et
            al. (arXiv 2306.08121); or "rq_kmeans", residual k-means and no network (as in OneRec,
            arXiv 2502.18965).
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes in each level's codebook (K).
        latent_dim: Width of the codes (d); None takes the width of the content embedding. A
            narrower one is initialized with the principal axes of the items.
        standardize: Standardization of the input, stored in the model: "center" subtracts the mean
            and divides by one number, the root mean square; "dimension" divides each dimension by
            its standard deviation; "none" does nothing.
        gradient: Target of the reconstruction's gradient: "joint", the encoder and the codes;
            "straight_through" the encoder alone, as in the paper.
        beta: Weight of the commitment loss.
        codebook_weight: Weight of the codebook loss.
        kmeans_iterations: Lloyd steps of the residual k-means that initializes the codebooks, for
            each of the ten numbers of dimensions that it goes through; 0 initializes them with
            random residuals.
        kmeans_items: Items, at most, of the k-means initialization.
        kmeans_mixtures: Mixtures of three items that are added to them, unless the validation
            items are better off without; then `mixup` is 0 as well.
        reset_dead_codes: When an unused code is reset to a random residual of its level. "epoch":
            after an epoch, a code that no item has where there are 20 items a code or more, else
            one that nothing in the epoch, mixtures included, was nearest to. "batch": after every
            step, a code that nothing in the batch was nearest to, as in the paper. "never".
        mixup: Share of each training batch made of mixtures of two items.
        sinkhorn_epsilon: Above 0, a batch's codes are chosen in even use while training, the evener
            the larger it is (LC-Rec, arXiv 2311.09049).
        beam: Prefixes kept by the beam search that chooses an item's codes; 1 takes the nearest
            code level by level.
        epochs: Passes over the items, at most; 0 leaves the codebooks where k-means put them.
        batch_size: Items in a training step.
        codebook_learning_rate: AdamW's peak rate for the codebooks, relative to the root mean
            square of the latents at the start; decayed by a cosine.
        network_learning_rate: The same for the encoder and the decoder.
        weight_decay: AdamW's decoupled decay of the encoder's and the decoder's weights.
        early_stop_patience: Epochs without an improvement of the reconstruction of the validation
            items before training stops.
        early_stop_min_delta: Relative improvement of the reconstruction that counts as one.
        max_items: Items, at most, that training looks at: a random sample of a larger set.
        seed: Seed of everything random.
        model: Output folder of a `sid run` whose released SID space a pipeline takes, RQ-VAE and
            Semantic IDs, instead of training one; the other fields are then those of that run.
    """

    preset: Literal["default", "paper", "rq_kmeans"] = "default"
    levels: int = Field(default=4, ge=1, le=16)
    codebook_size: int = Field(default=256, ge=2, le=65536)
    latent_dim: int | None = Field(default=None, ge=1)
    standardize: Literal["center", "dimension", "none"] = "center"
    gradient: Literal["joint", "straight_through"] = "joint"
    beta: float = Field(default=0.25, ge=0)
    codebook_weight: float = Field(default=0.1, ge=0)
    kmeans_iterations: int = Field(default=4, ge=0)
    kmeans_items: int = Field(default=100_000, ge=1)
    kmeans_mixtures: int = Field(default=64_000, ge=0)
    reset_dead_codes: Literal["epoch", "batch", "never"] = "epoch"
    mixup: float = Field(default=0.5, ge=0, le=1)
    sinkhorn_epsilon: float = Field(default=0.0, ge=0)
    beam: int = Field(default=1, ge=1, le=64)
    epochs: int = Field(default=24, ge=0)
    batch_size: int = Field(default=512, ge=1)
    codebook_learning_rate: float = Field(default=0.02, gt=0)
    network_learning_rate: float = Field(default=3e-5, ge=0)
    weight_decay: float = Field(default=0.0, ge=0)
    early_stop_patience: int = Field(default=8, ge=1)
    early_stop_min_delta: float = Field(default=1e-3, ge=0)
    max_items: int = Field(default=1_000_000, ge=1)
    seed: int = 0
    model: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, given: ArgsKwargs | dict[str, Any]) -> Any:
        fields = (given.kwargs or {}) if isinstance(given, ArgsKwargs) else given
        if not isinstance(fields, dict):
            return given  # Refused by the dataclass.
        # What is no name of a preset, the field's own check refuses.
        preset = PRESETS.get(str(fields.get("preset", "default")), {})
        return {**preset, **fields}
