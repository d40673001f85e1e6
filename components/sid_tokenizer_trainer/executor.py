"""SidTokenizerTrainer: the work."""

import json
import os
import shutil
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
from semantic_id_ranking.contracts.sid_space import CODEBOOKS_FILE
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from semantic_id_ranking.trainer.tokenizer.train import ASSETS_EXTRA
from semantic_id_ranking.trainer.tokenizer.train import train_tokenizer

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
        model = artifact_utils.get_single_uri(output_dict["model"])
        directory = path_utils.serving_model_dir(model)
        train_tokenizer(
            sids[counts > 0],
            counts[counts > 0],
            rows=exec_properties["rows"],
            config=TokenizerConfig(**json.loads(exec_properties["config"])),
            directory=directory,
            space=space,
        )
        ImpressedItems.select(ids, sids, counts).save(directory)
        rqvae = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["rqvae"]))
        check_file_digests(rqvae)
        _copy_codebooks(os.path.join(rqvae, ASSETS_EXTRA), directory, space)


def _copy_codebooks(encoder: str, directory: str, space: SidSpace) -> None:
    SidSpace.load(encoder).require_same(space, "the RQ-VAE", "the Semantic IDs")
    shutil.copy(os.path.join(encoder, CODEBOOKS_FILE), os.path.join(directory, ASSETS_EXTRA))
