"""SidAnalyzer: the work."""

import json
import os
from typing import Any

import numpy as np
import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils
from tfx_bsl.public import tfxio

from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.outliers import Bounds

_FEATURES = {"item_id": examples_lib.BYTES, "embedding": examples_lib.FLOAT}

#: Items of each split, at most, whose embeddings are looked at; the codes of all items are.
_SAMPLE = 20_000


class Executor(base_executor.BaseExecutor):
    """Reads items, Semantic IDs and model; writes `report.json`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `model`, `semantic_ids`.
            output_dict: `report`.
            exec_properties: None is read.
        """
        items = artifact_utils.get_single_instance(input_dict["examples"])
        model = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))
        check_file_digests(model)
        ids, sids, space = sid_table.read(artifact_utils.get_single_uri(input_dict["semantic_ids"]))
        train = _sample(items, "train")
        unseen = _sample(items, "eval")
        measured = unseen if len(unseen[0]) else train
        row = {item_id: position for position, item_id in enumerate(ids)}

        def sids_of(sample: tuple[list[str], np.ndarray]) -> np.ndarray:
            return sids[[row[item_id] for item_id in sample[0]]]

        decode = tf.saved_model.load(model).signatures["decode"]
        reconstructed = decode(sid=tf.constant(sids_of(measured), tf.int32))["embedding"].numpy()
        # As in training, an item far from all others would decide mean and spread alone.
        bounds = Bounds.measure(train[1])
        outlying = [bounds.outlying(sample[1]) for sample in (train, unseen) if len(sample[0])]
        kept = ~bounds.outlying(measured[1])
        errors = (
            measured[1][kept],
            reconstructed[kept],
            train[1][~outlying[0]].mean(axis=0),
        )
        use = analysis.codebook_use(sids, space.codebook_size)
        both = np.concatenate([sids_of(s) for s in (train, unseen) if len(s[0])])
        report = {
            "levels": space.levels,
            "codebook_size": space.codebook_size,
            "fingerprint": space.fingerprint,
            "items": len(ids),
            "unique_fraction": analysis.unique_fraction(sids),
            "codebook_use": use,
            "idle_levels": analysis.idle_levels(use, space.codebook_size, len(ids)),
            "perplexity": analysis.perplexity(sids),
            "reconstruction": analysis.relative_error(*errors),
            "reconstruction_median": analysis.median_relative_error(*errors),
            "outlying_items": sum(int(rows.sum()) for rows in outlying),
            "reconstruction_items": "unseen" if len(unseen[0]) else "training",
            "prefixes": analysis.prefix_table(
                both, np.concatenate([s[1] for s in (train, unseen) if len(s[0])])
            ),
        }
        output = artifact_utils.get_single_uri(output_dict["report"])
        with open(os.path.join(output, "report.json"), "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)


def _sample(items: types.Artifact, split: str) -> tuple[list[str], np.ndarray]:
    """Ids and embeddings [n, D] of the first items of a split; ExampleGen has shuffled them."""
    source = tfxio.TFExampleRecord(
        examples_lib.split_pattern(items, split),
        schema=examples_lib.schema_of(_FEATURES),
        telemetry_descriptors=["semantic_id_ranking"],
    )
    options = tfxio.RecordBatchesOptions(
        batch_size=examples_lib.BATCH_SIZE, drop_final_batch=False, num_epochs=1, shuffle=False
    )
    ids: list[str] = []
    embeddings: list[np.ndarray] = []
    for batch in source.RecordBatches(options):
        if len(ids) >= _SAMPLE or not batch.num_rows:
            break
        ids += [item_id.decode() for item_id in examples_lib.scalars(batch, "item_id", b"")]
        embeddings.append(examples_lib.matrix(batch, "embedding"))
    return ids, np.concatenate(embeddings) if embeddings else np.empty((0, 0), np.float32)
