"""Executor of SidTokenizerTrainer."""

import json
import os
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from semantic_id_ranking._compat import beam_pipeline
from semantic_id_ranking._compat import temporary_folder
from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.item_counts import CountItems
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.sid_space import load_codebooks
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import ASSETS_EXTRA
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

_COUNTS = pa.schema([("item_id", pa.string()), ("impressions", pa.int64())])


class Executor(base_beam_executor.BaseBeamExecutor):
    """Counts each item's training impressions on Beam, then trains SentencePiece on the counts."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `semantic_ids`, `examples`, `rqvae`.
            output_dict: `model`.
            exec_properties: `rows`, `config` (JSON).
        """
        impressions = artifact_utils.get_single_instance(input_dict["examples"])
        counts_prefix = os.path.join(temporary_folder(self), "impressions")
        with beam_pipeline(self) as pipeline:
            _ = (
                pipeline
                | examples_lib.read_batches(
                    examples_lib.split_pattern(impressions, "train"),
                    {"item_id": examples_lib.BYTES},
                )
                | CountItems()
                | beam.Map(lambda pair: {"item_id": pair[0].decode(), "impressions": pair[1]})
                | beam.io.WriteToParquet(
                    counts_prefix, _COUNTS, file_name_suffix=".parquet", num_shards=1
                )
            )
        counted = pq.read_table(f"{counts_prefix}-00000-of-00001.parquet")
        ids, sids, space = sid_table.read(artifact_utils.get_single_uri(input_dict["semantic_ids"]))
        count_of = dict(
            zip(counted["item_id"].to_pylist(), counted["impressions"].to_pylist(), strict=True)
        )
        counts = np.array([count_of.get(item_id, 0) for item_id in ids], np.int64)
        rqvae = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["rqvae"]))
        check_file_digests(rqvae)
        extra = os.path.join(rqvae, ASSETS_EXTRA)
        SidSpace.load(extra).require_same(space, "the RQ-VAE", "the Semantic IDs")
        tokenizer = SidTokenizer.fit(
            sids,
            counts,
            space,
            rows=exec_properties["rows"],
            item_ids=ids,
            codebooks=load_codebooks(extra),
            config=TokenizerConfig(**json.loads(exec_properties["config"])),
        )
        model = artifact_utils.get_single_uri(output_dict["model"])
        tokenizer.save(path_utils.serving_model_dir(model))
