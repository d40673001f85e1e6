"""Executor of FeatureJoiner."""

import json
import os
from typing import Any

from apache_beam.io.filesystems import FileSystems
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from semantic_id_ranking._compat import beam_pipeline
from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.feature_joiner import counts as counts_lib
from semantic_id_ranking.components.feature_joiner import state as state_lib
from semantic_id_ranking.components.feature_joiner.graph import Join
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.read_impressions import SPLITS
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN


class Executor(base_beam_executor.BaseBeamExecutor):
    """Joins on Beam."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `impressions`, `items`, `semantic_ids`, and `earlier_state` where one is
                continued.
            output_dict: `examples`, `schema`, `state`.
            exec_properties: `parameters` (JSON of `JoinParameters`), `span`.

        Raises:
            InputError: Too many impressions are of items that are not known; a task has no label
                before the evaluation period or in it; or the earlier state was made otherwise.
        """
        parameters = JoinParameters.from_dict(json.loads(exec_properties["parameters"]))
        impressions = artifact_utils.get_single_instance(input_dict["impressions"])
        items = artifact_utils.get_single_instance(input_dict["items"])
        sids = artifact_utils.get_single_uri(input_dict["semantic_ids"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        examples.span = exec_properties["span"]
        folders = [artifact_utils.get_split_uri([examples], split) for split in SPLITS]
        for folder in folders:
            fileio.makedirs(folder)

        space = sid_table.space_of(sid_table.read_schema(sid_table.files(sids)[0]))
        terms = state_lib.terms(parameters, space.fingerprint)
        earlier = None
        if input_dict.get("earlier_state"):
            folder = artifact_utils.get_single_uri(input_dict["earlier_state"])
            earlier = state_lib.EarlierState.open(folder, terms, parameters.other_space)
        state = artifact_utils.get_single_uri(output_dict["state"])
        join = Join(parameters, terms, earlier, folders, state)
        files = [
            (path, split == "eval")
            for split in SPLITS
            for path in sorted(fileio.glob(examples_lib.split_pattern(impressions, split)))
        ]
        item_files = [
            path
            for split in artifact_utils.decode_split_names(items.split_names)
            for path in sorted(fileio.glob(examples_lib.split_pattern(items, split)))
        ]
        with beam_pipeline(self) as pipeline:
            join.build(pipeline, files, f"{sids}/*.parquet", item_files)
        with FileSystems.open(join.counts_file) as file:
            counts_lib.refuse(json.loads(file.read()), parameters)
        _write_schema(artifact_utils.get_single_uri(output_dict["schema"]), parameters)


def _write_schema(directory: str, parameters: JoinParameters) -> None:
    """The features that Transform looks at, alone: it then decodes nothing else."""
    columns = dict.fromkeys(parameters.categorical, examples_lib.BYTES)
    columns.update(dict.fromkeys(parameters.numeric, examples_lib.FLOAT))
    if parameters.item_age:
        columns[ITEM_AGE_COLUMN] = examples_lib.FLOAT
    widths = {HISTORY_LENGTH: 1}
    if parameters.counters:
        layout = parameters.counter_layout.widths
        widths |= {context_feature(column): width for column, width in layout.items()}
        # Transform smooths rates by those of all labels.
        for task in parameters.counter_layout.tasks:
            widths |= {f"label_{task}": 1, f"weight_{task}": 1}
    schema = examples_lib.schema_of(
        {context_feature(column): kind for column, kind in columns.items()}
        | dict.fromkeys(widths, examples_lib.FLOAT)
    )
    for feature in schema.feature:
        if feature.name in widths:
            size = schema_pb2.FixedShape.Dim(size=widths[feature.name])
            feature.shape.CopyFrom(schema_pb2.FixedShape(dim=[size]))
            feature.presence.CopyFrom(schema_pb2.FeaturePresence(min_fraction=1.0, min_count=1))
    with FileSystems.create(os.path.join(directory, "schema.pbtxt")) as file:
        file.write(text_format.MessageToString(schema).encode())
