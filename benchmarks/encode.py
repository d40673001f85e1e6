"""Speed of encoding and of training steps, against bare matrix products, FAISS and PyTorch.

`make bench-encode` writes `benchmarks/out/encode.json`. Expect `encode_to_sgemm` around 0.9 where
the processor has AVX-512's bfloat16 but not AMX, `encode_to_faiss` above 2, `encode_to_rvq` above
3, `exact_match` at 0.9999 or more and `train_to_rvq_train` above 1.5. All contestants take turns
with the same threads; the peers are given latents, so that our encoder's product counts against us.
"""

import contextlib
import json
import os
import statistics
import tempfile
from collections.abc import Callable
from typing import Annotated
from typing import Any

import numpy as np
import tensorflow as tf
import typer

from benchmarks import command
from benchmarks.exact_codes import exact_codes
from benchmarks.interleave import interleave
from benchmarks.interleave import speed_ratio
from benchmarks.interleave import timed
from benchmarks.timed_peer import TimedPeer
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.export import export
from semantic_id_ranking.trainer.rqvae.mixtures import draw_mixtures
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.processor import processor
from semantic_id_ranking.trainer.rqvae.step import TrainingStep
from semantic_id_ranking.trainer.rqvae.train import train

_OUT = "benchmarks/out/encode.json"
_DIM = 768
# One epoch and few k-means steps: codebooks with the near-ties of trained ones, in a minute.
_CONFIG = RqVaeConfig(
    levels=8,
    codebook_size=2048,
    latent_dim=256,
    epochs=1,
    kmeans_iterations=3,
    kmeans_mixtures=0,
)
# Training steps in a round.
_STEPS = 10


def draw_items(count: int, rng: np.random.Generator) -> np.ndarray:
    """Items like text embeddings, float32 [count, D]: clusters, and a spectrum that falls off."""
    spectrum = np.arange(1, _DIM + 1) ** -0.5
    centres = rng.normal(size=(1000, _DIM)) * spectrum
    items = centres[rng.integers(0, len(centres), count)]
    return (items + 0.7 * rng.normal(size=(count, _DIM)) * spectrum).astype(np.float32)


def random_model(rng: np.random.Generator) -> RqVae:
    """An RQ-VAE with random codebooks, each level's smaller than those before."""
    model = RqVae(_CONFIG, np.zeros(_DIM), np.ones(_DIM))
    kernel = np.linalg.qr(rng.normal(size=model.encoder.kernel.shape))[0]
    model.encoder.kernel.assign(kernel.astype(np.float32))
    codebooks = rng.normal(size=model.codebooks.shape)
    codebooks *= 0.25 * 0.8 ** np.arange(_CONFIG.levels)[:, None, None]
    model.codebooks.assign(codebooks.astype(np.float32))
    return model


def compare_encoding(
    model: RqVae, items: np.ndarray, sample: np.ndarray, rounds: int, threads: int
) -> dict[str, Any]:
    """Encodes items with a model, as exported, and with the peers.

    Args:
        model: The RQ-VAE.
        items: float32 [N, D].
        sample: float32 [n, D], other items, by which the export chooses its search.
        rounds: How often each is timed.
        threads: Of the peers.

    Returns:
        Items a second of each by name, ratios of speeds, and shares of codes equal to float64's.
    """
    rows = tf.constant(items)
    latents = model.encoder(model.standardized(rows)).numpy()
    exact = exact_codes(_latents_in_float64(model, items), model.codebooks.numpy())
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as peers:
        np.save(os.path.join(folder, "latents.npy"), latents)
        np.save(os.path.join(folder, "codebooks.npy"), model.codebooks.numpy())
        encoders = {
            name: _exported(model, os.path.join(folder, name), chosen_by)
            for name, chosen_by in (("auto", sample), ("float32", None))
        }
        contestants = {
            "encode": timed(lambda: encoders["auto"](embedding=rows)["sid"].numpy()),
            "encode_float32": timed(lambda: encoders["float32"](embedding=rows)["sid"].numpy()),
            "sgemm": timed(_products(latents, model.codebooks.numpy())),
        }
        for name in ("faiss", "rvq"):
            peer = TimedPeer(f"{name}_encode", folder, threads)
            contestants[name] = peers.enter_context(peer)
        seconds = interleave(contestants, rounds)
        codes = {
            "exact_match": encoders["auto"](embedding=rows)["sid"].numpy(),
            "float32_exact_match": encoders["float32"](embedding=rows)["sid"].numpy(),
            "faiss_exact_match": np.load(os.path.join(folder, "faiss_codes.npy")),
            "rvq_exact_match": np.load(os.path.join(folder, "rvq_codes.npy")),
        }
    return {
        **_speeds(seconds, len(items), {"encode": "items_per_s"}),
        **_ratios(seconds, "encode", ("sgemm", "faiss", "rvq")),
        **_ratios(seconds, "encode_float32", ("sgemm",)),
        **{name: float((sids == exact).mean()) for name, sids in codes.items()},
    }


def compare_training(model: RqVae, items: np.ndarray, rounds: int, threads: int) -> dict[str, Any]:
    """Trains a model, and the peer's autoencoder, some steps a round.

    Args:
        model: The RQ-VAE, which changes.
        items: float32 [N, D].
        rounds: How often each is timed.
        threads: Of the peer.

    Returns:
        Items a second of each by name, and the ratio of speeds.
    """
    rows = model.standardized(tf.constant(items)).numpy()
    batch_size = _CONFIG.batch_size
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "items.npy"), rows)
        np.save(os.path.join(folder, "codebooks.npy"), model.codebooks.numpy())
        with TimedPeer("rvq_train", folder, threads, batch_size, _STEPS) as peer:
            ours = timed(_training_steps(model, rows))
            seconds = interleave({"train": ours, "rvq_train": peer}, rounds)
    speeds = _speeds(seconds, batch_size * _STEPS, {})
    return {"batch_size": batch_size, **speeds, **_ratios(seconds, "train", ("rvq_train",))}


def _latents_in_float64(model: RqVae, items: np.ndarray) -> np.ndarray:
    mean, scale, kernel, bias = (
        variable.numpy().astype(np.float64)
        for variable in (model.mean, model.scale, model.encoder.kernel, model.encoder.bias)
    )
    return (items - mean) / scale @ kernel + bias


def _exported(
    model: RqVae, path: str, sample: np.ndarray | None
) -> Callable[..., dict[str, tf.Tensor]]:
    export(model, path, sample)
    return tf.saved_model.load(path).signatures["encode"]


def _products(latents: np.ndarray, codebooks: np.ndarray) -> Callable[[], None]:
    rows, tensors = tf.constant(latents), [tf.constant(codebook) for codebook in codebooks]

    def products() -> None:
        for codebook in tensors:
            result = tf.matmul(rows, codebook, transpose_b=True)
        result[0, 0].numpy()

    return products


def _training_steps(model: RqVae, rows: np.ndarray) -> Callable[[], None]:
    step = TrainingStep(model, rows, _CONFIG, total_steps=1_000_000)
    rng = np.random.default_rng(0)
    kept = tf.fill([_CONFIG.batch_size], _CONFIG.levels)

    def train_steps() -> None:
        for _ in range(_STEPS):
            numbers, factors = draw_mixtures(len(rows), _CONFIG.batch_size, 2, rng)
            loss, _ = step(tf.constant(numbers), tf.constant(factors), kept)
        loss.numpy()

    return train_steps


def _speeds(seconds: dict[str, list[float]], items: int, names: dict[str, str]) -> dict[str, float]:
    return {
        names.get(name, f"{name}_items_per_s"): items / statistics.median(taken)
        for name, taken in seconds.items()
    }


def _ratios(
    seconds: dict[str, list[float]], ours: str, theirs: tuple[str, ...]
) -> dict[str, float]:
    return {f"{ours}_to_{name}": speed_ratio(seconds[ours], seconds[name]) for name in theirs}


def main(
    items: int = 40_000,
    rounds: int = 5,
    seed: int = 0,
    threads: Annotated[
        int, typer.Option(help="0: all processors. 1 on a busy machine: OpenMP's threads starve.")
    ] = 0,
    output: str = _OUT,
) -> None:
    """Measures, prints the report and writes it."""
    threads = threads or len(os.sched_getaffinity(0))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    rng = np.random.default_rng(seed)
    load = os.getloadavg()[0]
    name, flags = processor()
    print("random codebooks")
    normal = rng.normal(size=(2 * items, _DIM)).astype(np.float32)
    random = compare_encoding(random_model(rng), normal[items:], normal[:items], rounds, threads)
    drawn = draw_items(2 * items, rng)
    print("training codebooks")
    model = train(drawn[:items], drawn[items : items + items // 20], _CONFIG).model
    print("trained codebooks")
    trained = compare_encoding(model, drawn[items:], drawn[:items], rounds, threads)
    print("training steps")
    report = {
        "processor": name,
        "amx": "amx_bf16" in flags,
        "avx512_bf16": "avx512_bf16" in flags,
        "threads": threads,
        "load_before": load,
        "items": items,
        **random,
        "trained_codebooks": trained,
        **compare_training(model, drawn[:items], rounds, threads),
    }
    print(json.dumps(report, indent=1))
    command.update_json(output, report)


if __name__ == "__main__":
    command.run(main)
