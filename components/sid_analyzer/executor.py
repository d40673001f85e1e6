"""Executor of SidAnalyzer."""

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
from semantic_id_ranking.trainer.rqvae.semantic_id_report import Sample
from semantic_id_ranking.trainer.rqvae.semantic_id_report import SemanticIdReport

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
        row = {item_id: position for position, item_id in enumerate(ids)}
        decode = tf.saved_model.load(model).signatures["decode"]

        def sample(item_ids: list[str], embeddings: np.ndarray) -> Sample:
            its_sids = sids[[row[item_id] for item_id in item_ids]]
            decoded = decode(sid=tf.constant(its_sids, tf.int32))["embedding"].numpy()
            return Sample(embeddings, its_sids, decoded)

        unseen_ids, unseen = _read(items, "eval")
        report = SemanticIdReport.measure(
            space,
            sids,
            sample(*_read(items, "train")),
            sample(unseen_ids, unseen) if unseen_ids else None,
        )
        output = artifact_utils.get_single_uri(output_dict["report"])
        with open(os.path.join(output, "report.json"), "w", encoding="utf-8") as file:
            json.dump(report.to_json(), file, indent=2)


def _read(items: types.Artifact, split: str) -> tuple[list[str], np.ndarray]:
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
