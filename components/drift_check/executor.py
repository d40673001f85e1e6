"""Executor of DriftCheck."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils
from tfx_bsl.public import tfxio

from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.drift_check.item_sample import ItemSample
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.trainer.rqvae.drift import drift_report
from semantic_id_ranking.trainer.rqvae.drift import KnownItems
from semantic_id_ranking.trainer.rqvae.drift import STOP
from semantic_id_ranking.trainer.rqvae.drift import stop_report
from semantic_id_ranking.trainer.rqvae.semantic_id_report import Sample
from semantic_id_ranking.trainer.rqvae.semantic_ids import SemanticIds
from semantic_id_ranking.trainer.rqvae.training_profile import TrainingProfile
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from semantic_id_ranking.trainer.tokenizer.untrained_pieces import untrained_pieces

_FEATURES = {"item_id": examples_lib.BYTES, "embedding": examples_lib.FLOAT}

#: Items of each kind, at most, whose embeddings are looked at.
SAMPLE = 20_000


class Executor(base_executor.BaseExecutor):
    """Reads items, model and earlier Semantic IDs; writes `drift.json`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `model`, `earlier`, and `tokenizer` if there is one.
            output_dict: `report`.
            exec_properties: `refuse_stop`.

        Raises:
            InputError: The model is damaged or has no profile of its training period; or the
                verdict is "stop", which is to be refused.
            SidSpaceMismatchError: Model, earlier Semantic IDs and tokenizer are not of one space.
        """
        items = artifact_utils.get_single_instance(input_dict["examples"])
        model = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))
        tokenizer = None
        if input_dict.get("tokenizer"):
            uri = artifact_utils.get_single_uri(input_dict["tokenizer"])
            tokenizer = SidTokenizer.load(path_utils.serving_model_path(uri))
        earlier = artifact_utils.get_single_uri(input_dict["earlier"])
        report = check_drift(items, SemanticIds.load(model), model, earlier, tokenizer)
        output = artifact_utils.get_single_uri(output_dict["report"])
        write_json(os.path.join(output, "drift.json"), report)
        if exec_properties.get("refuse_stop") and report["verdict"] == STOP:
            raise InputError(f"the items do not suit the SID space: {report['reason']}")


def check_drift(
    items: types.Artifact,
    semantic_ids: SemanticIds,
    model: str,
    earlier: str,
    tokenizer: SidTokenizer | None,
) -> dict[str, Any]:
    """Compares today's items with the earlier ones and the training period's; see `drift_report`.

    Args:
        items: Their Examples.
        semantic_ids: The RQ-VAE.
        model: Its directory.
        earlier: Folder of the earlier Semantic IDs.
        tokenizer: Of the same space; or None.
    """
    space = semantic_ids.space
    profile = TrainingProfile.load(os.path.join(model, "assets.extra"))
    known_ids, known_sids, known_digests = _read_earlier(earlier, semantic_ids)
    if tokenizer is not None:
        space.require_same(tokenizer.space, "the RQ-VAE", "the SID tokenizer")
    row_of = pd.Index(known_ids)
    # New, changed and unchanged ones.
    samples = [ItemSample(SAMPLE, space.embedding_dim or 0, space.levels) for _ in range(3)]
    for ids, embeddings in _batches(items):
        if embeddings.shape[1] != space.embedding_dim:
            return stop_report(
                f"item {ids[0]!r} has an embedding of {embeddings.shape[1]} numbers, but the SID "
                f"space is one of {space.embedding_dim}"
            )
        rows = row_of.get_indexer(ids)
        known = rows >= 0
        same = (
            known & (known_digests[rows] == sid_table.digest(embeddings)) if len(row_of) else known
        )
        sids = known_sids[rows] if len(row_of) else np.zeros((len(ids), space.levels), np.int32)
        for sample, chosen in zip(samples, (~known, known & ~same, same), strict=True):
            sample.add(ids[chosen], embeddings[chosen], sids[chosen])
    new, changed, unchanged = samples
    new_sids = semantic_ids.encode(new.embeddings)
    return drift_report(
        profile,
        Sample(new.embeddings, new_sids, semantic_ids.decode(new_sids)),
        KnownItems(
            known=changed.count + unchanged.count,
            changed=changed.count,
            same=unchanged.sids,
            same_again=semantic_ids.encode(unchanged.embeddings),
            before=changed.sids,
            after=semantic_ids.encode(changed.embeddings),
        ),
        None if tokenizer is None else untrained_pieces(tokenizer, new_sids),
    )


def _read_earlier(folder: str, model: SemanticIds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids [N], Semantic IDs [N, L] and digests [N] of the earlier items."""
    files = sid_table.files(folder)
    for file in files:
        space = sid_table.space_of(sid_table.read_schema(file))
        model.space.require_same(space, "the RQ-VAE", "the earlier Semantic IDs")
    empty = np.empty(0, object), np.empty((0, model.levels), np.int32), np.empty(0, np.int64)
    columns = zip(empty, *sid_table.read_batches(files), strict=True)
    ids, sids, digests = (np.concatenate(column) for column in columns)
    return ids, sids, digests


def _batches(items: types.Artifact) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Ids [n] object (str) and embeddings float32 [n, D] of the items of all splits."""
    options = tfxio.RecordBatchesOptions(
        batch_size=examples_lib.BATCH_SIZE, drop_final_batch=False, num_epochs=1, shuffle=False
    )
    for split in artifact_utils.decode_split_names(items.split_names):
        source = tfxio.TFExampleRecord(
            examples_lib.split_pattern(items, split),
            schema=examples_lib.schema_of(_FEATURES),
            telemetry_descriptors=["semantic_id_ranking"],
        )
        for batch in source.RecordBatches(options):
            if batch.num_rows:
                ids = [i.decode() for i in examples_lib.scalars(batch, "item_id", b"")]
                embeddings = examples_lib.matrix(batch, "embedding").astype(np.float32)
                yield np.array(ids, object), embeddings
