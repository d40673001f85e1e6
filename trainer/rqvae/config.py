"""Configuration of the RQ-VAE."""

from typing import Literal

from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class RqVaeConfig:
    """How content embeddings become Semantic IDs.

    Attributes:
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes in each level's codebook (K).
        latent_dim: Width of the codes (d); None takes the width of the content embedding. A
            narrower one starts at the principal axes of the items.
        encoder_widths: Units of the hidden ReLU layers of the encoder; the decoder mirrors them.
            Empty: encoder and decoder are linear.
        standardize: What is done to the input, and stored in the model: "center" subtracts the mean
            and divides by one number, the root mean square; "dimension" divides each dimension by
            its standard deviation; "none" does nothing.
        beta: Weight of the commitment loss.
        codebook_weight: Weight of the codebook loss. The reconstruction reaches the codebooks too.
        kmeans_iterations: Lloyd steps of the residual k-means that starts the codebooks; 0 starts
            them at random residuals.
        kmeans_items: Items, at most, that the k-means start looks at.
        kmeans_mixtures: Mixtures of three items that it looks at beside them.
        reset_dead_codes: Whether an unused code restarts at a random residual of its level: one
            that no item has where there are 20 items a code or more, else one that nothing in
            the epoch, mixtures included, was nearest to.
        mixup: Share of each training batch made of mixtures of two items.
        epochs: Passes over the items, at most.
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
    """

    levels: int = Field(4, ge=1, le=16)
    codebook_size: int = Field(256, ge=2, le=65536)
    latent_dim: int | None = Field(None, ge=1)
    encoder_widths: tuple[int, ...] = ()
    standardize: Literal["center", "dimension", "none"] = "center"
    beta: float = Field(0.25, ge=0)
    codebook_weight: float = Field(0.1, ge=0)
    kmeans_iterations: int = Field(8, ge=0)
    kmeans_items: int = Field(100_000, ge=1)
    kmeans_mixtures: int = Field(64_000, ge=0)
    reset_dead_codes: bool = True
    mixup: float = Field(0.5, ge=0, le=1)
    epochs: int = Field(24, ge=1)
    batch_size: int = Field(512, ge=1)
    codebook_learning_rate: float = Field(0.02, gt=0)
    network_learning_rate: float = Field(3e-5, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    early_stop_patience: int = Field(8, ge=1)
    early_stop_min_delta: float = Field(1e-3, ge=0)
    max_items: int = Field(1_000_000, ge=1)
    seed: int = 0
