"""Executor of FeatureJoiner."""

import functools
import json
import os
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
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
from semantic_id_ranking.components.feature_joiner import impressions as impressions_lib
from semantic_id_ranking.components.feature_joiner.item_table import build_item_table
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.titles import write_titles
from semantic_id_ranking.components.feature_joiner.write_group import WriteGroup
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN

_SPLITS = ("train", "eval")
_ITEM_AGES = pa.schema([("item_id", pa.string()), ("age_days", pa.float32())])


class Executor(base_beam_executor.BaseBeamExecutor):
    """Joins on Beam: impressions go, as columns, to the group of their user, and join there."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `impressions`, `items`, `semantic_ids`.
            output_dict: `examples`, `schema`, `histories`.
            exec_properties: `parameters` (JSON of `JoinParameters`).

        Raises:
            InputError: Too many impressions are of items that are not known, or a task has no label
                in a split.
        """
        parameters = JoinParameters.from_dict(json.loads(exec_properties["parameters"]))
        impressions = artifact_utils.get_single_instance(input_dict["impressions"])
        items = artifact_utils.get_single_instance(input_dict["items"])
        sids = artifact_utils.get_single_uri(input_dict["semantic_ids"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(list(_SPLITS))
        histories = artifact_utils.get_single_uri(output_dict["histories"])
        counts_file = os.path.join(histories, "join.json")
        folders = [artifact_utils.get_split_uri([examples], split) for split in _SPLITS]
        for folder in folders:
            fileio.makedirs(folder)
        with beam_pipeline(self) as pipeline:
            table = beam.pvalue.AsSingleton(_item_table(pipeline, items, sids, parameters))
            located = [
                pipeline
                | f"Read[{split}]"
                >> examples_lib.read_batches(
                    examples_lib.split_pattern(impressions, split), _features(parameters)
                )
                | f"Locate[{split}]"
                >> beam.FlatMap(_locate, split == "eval", parameters, table).with_outputs(
                    "counts", "train_items", main="known"
                )
                for split in _SPLITS
            ]
            popularity = (
                located[0].train_items
                | "SumImpressions" >> beam.CombineGlobally(_sum_counts).without_defaults()
            )
            _ = (
                [outputs.counts for outputs in located]
                | "FlattenCounts" >> beam.Flatten()
                | "SumCounts" >> beam.CombineGlobally(counts_lib.add)
                | "WriteCounts" >> beam.Map(_write_counts, counts_file)
            )
            # Every group is there, whether it has impressions or not.
            groups = pipeline | "Groups" >> beam.Create(
                [(number, None) for number in range(parameters.shards)]
            )
            last = (
                [groups, *(outputs.known for outputs in located)]
                | "FlattenKnown" >> beam.Flatten()
                | beam.GroupByKey()
                | "WriteGroup"
                >> beam.ParDo(
                    WriteGroup(parameters, folders, histories),
                    table,
                    beam.pvalue.AsSingleton(popularity),
                )
            )
            write_titles(pipeline, items, histories)
            if parameters.item_age:
                _ = (
                    last
                    | "LastOfAll" >> beam.CombineGlobally(max).without_defaults()
                    | "WriteItemAges"
                    >> beam.Map(
                        _write_item_ages,
                        table,
                        os.path.join(histories, "item_ages", "item_ages.parquet"),
                    )
                )
        with FileSystems.open(counts_file) as file:
            counts_lib.refuse(json.loads(file.read()), parameters)
        _write_schema(artifact_utils.get_single_uri(output_dict["schema"]), parameters)


def _features(parameters: JoinParameters) -> dict[str, int]:
    """The features read of the impressions, and their types."""
    features = {
        "user_id": examples_lib.BYTES,
        "item_id": examples_lib.BYTES,
        "current_item_id": examples_lib.BYTES,
        "timestamp": examples_lib.INT,
    }
    for task, column in parameters.labels.items():
        is_regression = task in parameters.regressions
        features[column] = examples_lib.FLOAT if is_regression else examples_lib.INT
    features.update(dict.fromkeys(parameters.categorical, examples_lib.BYTES))
    features.update(dict.fromkeys(parameters.numeric, examples_lib.FLOAT))
    return features


def _item_table(
    pipeline: beam.Pipeline, items: types.Artifact, sids: str, parameters: JoinParameters
) -> beam.PCollection:
    features = {"item_id": examples_lib.BYTES, "created_at": examples_lib.INT}
    if parameters.embeddings:
        features["embedding"] = examples_lib.FLOAT
    splits = artifact_utils.decode_split_names(items.split_names)
    batches = [
        pipeline
        | f"ReadItems[{split}]"
        >> examples_lib.read_batches(examples_lib.split_pattern(items, split), features)
        for split in splits
    ] | "FlattenItems" >> beam.Flatten()
    tables = pipeline | "ReadSids" >> beam.io.ReadFromParquetBatched(f"{sids}/*.parquet")
    return (
        pipeline
        | beam.Create([None])
        | "ItemTable"
        >> beam.Map(
            build_item_table,
            sid_tables=beam.pvalue.AsIter(tables),
            item_batches=beam.pvalue.AsIter(batches),
        )
    )


def _locate(
    batch: pa.RecordBatch, evaluation: bool, parameters: JoinParameters, table: ItemTable
) -> Iterator[Any]:
    """Finds each candidate in the item table; counts, and keeps out, those that are not there."""
    block = impressions_lib.read(batch, evaluation, parameters, table)
    rows, current = block["item"], block["current_item_id"]
    known = rows >= 0
    counts = counts_lib.count(
        _SPLITS[evaluation],
        examples_lib.scalars(batch, "item_id", b""),
        known,
        block["user_id"],
        {
            task: np.isnan(block[impressions_lib.input_column(column)].astype(np.float32))
            for task, column in parameters.labels.items()
        },
        int(((current != b"") & (table.find(current) < 0)).sum()),
    )
    yield beam.pvalue.TaggedOutput("counts", counts)
    if not evaluation:
        yield beam.pvalue.TaggedOutput(
            "train_items", np.bincount(rows[known], minlength=len(table.ids))
        )
    yield from impressions_lib.by_group(impressions_lib.select(block, known), parameters.shards)


def _write_item_ages(timestamp: int, table: ItemTable, path: str) -> None:
    """Every item's age at a time."""
    ages = table.ages(np.arange(len(table.ids)), timestamp).astype(np.float32)
    ids = [i.decode() for i in table.ids]
    with FileSystems.create(path) as file:
        pq.write_table(pa.table({"item_id": ids, "age_days": ages}, _ITEM_AGES), file)


def _sum_counts(counts: Iterable[np.ndarray]) -> np.ndarray:
    return functools.reduce(np.add, counts)


def _write_counts(counts: counts_lib.Counts, path: str) -> None:
    with FileSystems.create(path, "application/json") as file:
        file.write(json.dumps(counts_lib.as_json(counts)).encode())


def _write_schema(directory: str, parameters: JoinParameters) -> None:
    """The context features alone: Transform then decodes nothing else."""
    schema = examples_lib.schema_of(
        {context_feature(column): examples_lib.BYTES for column in parameters.categorical}
        | {context_feature(column): examples_lib.FLOAT for column in parameters.numeric}
        | ({context_feature(ITEM_AGE_COLUMN): examples_lib.FLOAT} if parameters.item_age else {})
        | {"history_length": examples_lib.FLOAT}
    )
    length = schema.feature[-1]
    length.shape.CopyFrom(schema_pb2.FixedShape(dim=[schema_pb2.FixedShape.Dim(size=1)]))
    length.presence.CopyFrom(schema_pb2.FeaturePresence(min_fraction=1.0, min_count=1))
    with FileSystems.create(os.path.join(directory, "schema.pbtxt")) as file:
        file.write(text_format.MessageToString(schema).encode())
