"""Entry point of the stock TFX Trainer: the RQ-VAE from the items' Examples."""

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.restore import restore
from semantic_id_ranking.trainer.rqvae.train_and_export import train_and_export
from semantic_id_ranking.trainer.rqvae.train_and_export import VALIDATION_SHARE

_READ_BATCH = 1024


def run_fn(fn_args: Any) -> None:
    """Trains and exports.

    Only the training split is read. One item in twenty of it, chosen by a hash of its id, decides
    when training stops.

    Args:
        fn_args: TFX's FnArgs: `train_files` (patterns of gzipped TFRecords of Examples with
            `item_id` and `embedding`), `custom_config["rqvae"]` (fields of `RqVaeConfig`),
            `serving_model_dir`, `model_run_dir` (TensorBoard logs and `metrics.json`), `base_model`
            (the SavedModel of an earlier space, which this one is a refresh of; or None).
    """
    config = RqVaeConfig(**fn_args.custom_config["rqvae"])
    ids, embeddings = read_items(fn_args.train_files, config.max_items, config.seed)
    held_out = tf.strings.to_hash_bucket_fast(ids, VALIDATION_SHARE).numpy() == 0
    if held_out.all() or not held_out.any():
        held_out = np.arange(len(ids)) % VALIDATION_SHARE == 0
    earlier = restore(fn_args.base_model, config.beam) if fn_args.base_model else None
    training = train_and_export(
        embeddings, held_out, config, fn_args.serving_model_dir, fn_args.model_run_dir, earlier
    )
    os.makedirs(fn_args.model_run_dir, exist_ok=True)
    metrics = {
        "epochs": training.epochs,
        "reconstruction": training.reconstruction,
        "codebook_use": training.codebook_use,
        "seconds": training.seconds,
        "outlying_items": training.outlying_items,
        "kept": training.kept,
    }
    with open(os.path.join(fn_args.model_run_dir, "metrics.json"), "w", encoding="utf-8") as file:
        json.dump(metrics, file)


def read_items(patterns: Sequence[str], max_items: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads items.

    Args:
        patterns: Patterns of gzipped TFRecord files of tf.train.Examples.
        max_items: Of more items than this, a random sample of this size is kept (reservoir).
        seed: Seed of the sample.

    Returns:
        Ids [N] bytes and embeddings float32 [N, D].

    Raises:
        ValueError: There is no item, or an embedding is not as long as the first one.
    """
    files = [file for pattern in patterns for file in sorted(tf.io.gfile.glob(pattern))]
    spec = {
        "item_id": tf.io.FixedLenFeature([], tf.string),
        "embedding": tf.io.RaggedFeature(tf.float32),
    }
    rng = np.random.default_rng(seed)
    ids: list[bytes] = []
    embeddings: list[np.ndarray] = []
    seen = 0
    for batch in tf.data.TFRecordDataset(files, "GZIP").batch(_READ_BATCH):
        parsed = tf.io.parse_example(batch, spec)
        ragged = parsed["embedding"]
        rows = np.split(ragged.values.numpy(), ragged.row_splits.numpy()[1:-1])
        for item_id, row in zip(parsed["item_id"].numpy(), rows, strict=True):
            if embeddings and len(row) != len(embeddings[0]):
                raise ValueError(
                    f"item {item_id.decode(errors='replace')} has an embedding of {len(row)} "
                    f"numbers, others have {len(embeddings[0])}; all must have the same"
                )
            seen += 1
            if len(ids) < max_items:
                ids.append(item_id)
                embeddings.append(row)
            elif (index := rng.integers(0, seen)) < max_items:
                ids[index], embeddings[index] = item_id, row
    if not ids:
        raise ValueError(f"no item in {', '.join(patterns)}")
    return np.array(ids, object), np.stack(embeddings)
