"""Executor of SemanticIdGen."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import apache_beam as beam
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from semantic_id_ranking._compat import beam_pipeline
from semantic_id_ranking._compat import temporary_folder
from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.semantic_id_gen.encode_files import EncodeFile
from semantic_id_ranking.components.semantic_id_gen.gone_items import write_gone_items
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.earlier import put_earlier


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads the items' Examples, encodes what is new or changed, writes Parquet."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `model`, and `earlier` if there are any.
            output_dict: `semantic_ids`.
            exec_properties: None is read.

        Raises:
            DamagedModelError: The model is not what was exported.
            SidSpaceMismatchError: The earlier Semantic IDs are of another space.
            InputError: They have no digests.
        """
        items = artifact_utils.get_single_instance(input_dict["examples"])
        model = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))
        check_file_digests(model)
        output = artifact_utils.get_single_uri(output_dict["semantic_ids"])
        files = [
            path
            for split in artifact_utils.decode_split_names(items.split_names)
            for path in sorted(fileio.glob(examples_lib.split_pattern(items, split)))
        ]
        temporary = temporary_folder(self)
        earlier = None
        if input_dict.get("earlier"):
            earlier = artifact_utils.get_single_uri(input_dict["earlier"])
            space = SidSpace.load(os.path.join(model, "assets.extra"))
            space.require_same(_space(earlier), "the RQ-VAE", "the earlier Semantic IDs")
            put_earlier(earlier, space, temporary)
        counts_file = os.path.join(temporary, "counts.json")
        with beam_pipeline(self) as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(list(enumerate(files)), reshuffle=False)
                # Else the runner fuses everything into one worker.
                | "Spread" >> beam.Reshuffle()
                | "Encode"
                >> beam.ParDo(EncodeFile(model, output, len(files), earlier and temporary))
                | "SumCounts" >> beam.CombineGlobally(_sum)
                | "WriteCounts" >> beam.Map(lambda counts: write_json(counts_file, counts))
            )
        with open(counts_file, encoding="utf-8") as file:
            counts = json.load(file)
        gone = write_gone_items(output, earlier) if earlier else 0
        # Beginning with "_", it is no part of the table for who opens the folder.
        write_json(os.path.join(output, "_counts.json"), counts | {"gone": gone})


def _space(table: str) -> SidSpace:
    return sid_table.space_of(sid_table.read_schema(sid_table.files(table)[0]))


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of counts, each of which may be one of some already."""
    total = Counter(encoded=0, kept=0)
    for one in counts:
        total.update(one)
    return dict(total)
