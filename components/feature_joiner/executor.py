"""FeatureJoiner: the work."""

import json
import os
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx_bsl.coders import example_coder

from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.feature_joiner.item_table import build_item_table
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import final_histories
from semantic_id_ranking.components.feature_joiner.join import Impressions
from semantic_id_ranking.components.feature_joiner.join import join
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import popularity_slices

_SPLITS = ("train", "eval")
_HISTORIES = pa.schema([("user_id", pa.string()), ("item_id", pa.list_(pa.string()))])
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
            InputError: Too many impressions are of items that are not known.
        """
        parameters = JoinParameters.from_dict(json.loads(exec_properties["parameters"]))
        impressions = artifact_utils.get_single_instance(input_dict["impressions"])
        items = artifact_utils.get_single_instance(input_dict["items"])
        sids = artifact_utils.get_single_uri(input_dict["semantic_ids"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(list(_SPLITS))
        histories = artifact_utils.get_single_uri(output_dict["histories"])
        counts_file = os.path.join(histories, "join.json")
        with self._make_beam_pipeline() as pipeline:
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
                | "SumCounts" >> beam.CombineGlobally(_sum_dicts)
                | "WriteCounts" >> beam.Map(_write_json, counts_file)
            )
            groups = (
                [outputs.known for outputs in located]
                | "FlattenKnown" >> beam.Flatten()
                | "ByUser" >> beam.FlatMap(_by_user, parameters.shards)
                | beam.GroupByKey()
                | "Concatenate" >> beam.MapTuple(lambda _, parts: _concatenate(parts))
            )
            joined = groups | "Join" >> beam.FlatMap(
                _join, parameters, table, beam.pvalue.AsSingleton(popularity)
            ).with_outputs(*_SPLITS)
            for split in _SPLITS:
                _ = joined[split] | f"Write[{split}]" >> beam.io.WriteToTFRecord(
                    os.path.join(examples.uri, f"Split-{split}", "data_tfrecord"),
                    file_name_suffix=".gz",
                )
            _ = (
                groups
                | "Histories" >> beam.Map(_histories, parameters, table)
                | beam.io.WriteToParquetBatched(
                    os.path.join(histories, "histories"), _HISTORIES, file_name_suffix=".parquet"
                )
            )
            if parameters.item_age:
                _ = (
                    groups
                    | "Last" >> beam.Map(lambda block: block["timestamp"].max())
                    | "LastOfAll" >> beam.CombineGlobally(max).without_defaults()
                    | "ItemAges" >> beam.Map(_item_ages, table)
                    | "WriteItemAges"
                    >> beam.io.WriteToParquetBatched(
                        os.path.join(histories, "item_ages", "item_ages"),
                        _ITEM_AGES,
                        file_name_suffix=".parquet",
                    )
                )
        _refuse_unknown(counts_file, parameters)
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
    ids = examples_lib.scalars(batch, "item_id", b"")
    rows = table.find(ids)
    known = rows >= 0
    columns = {
        "user_id": examples_lib.scalars(batch, "user_id", b""),
        "timestamp": examples_lib.scalars(batch, "timestamp", 0),
        "current_item_id": examples_lib.scalars(batch, "current_item_id", b""),
        "item": rows,
        "evaluation": np.full(len(rows), evaluation),
    }
    for column in parameters.categorical:
        columns[column] = examples_lib.scalars(batch, column, None)
    for column in (*parameters.numeric, *parameters.labels.values()):
        columns[column] = examples_lib.scalars(batch, column, np.nan)
    current = columns["current_item_id"]
    yield beam.pvalue.TaggedOutput(
        "counts",
        {
            "impressions": len(rows),
            "unknown_items": int((~known).sum()),
            "unknown_current_items": int(((current != b"") & (table.find(current) < 0)).sum()),
            "examples_of_unknown": sorted({i.decode() for i in ids[~known]})[:3],
        },
    )
    if not evaluation:
        yield beam.pvalue.TaggedOutput(
            "train_items", np.bincount(rows[known], minlength=len(table.ids))
        )
    yield {name: column[known] for name, column in columns.items()}


def _by_user(block: Impressions, shards: int) -> Iterator[tuple[int, Impressions]]:
    shard = pd.util.hash_array(block["user_id"]) % shards
    for number in np.unique(shard):
        yield int(number), {name: column[shard == number] for name, column in block.items()}


def _concatenate(parts: Iterable[Impressions]) -> Impressions:
    """One block of all parts, in an order that does not depend on theirs."""
    parts = list(parts)
    block = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((block["item"], block["timestamp"], block["user_id"].astype(bytes)))
    return {name: column[order] for name, column in block.items()}


def _join(
    impressions: Impressions, parameters: JoinParameters, table: ItemTable, counts: np.ndarray
) -> Iterator[beam.pvalue.TaggedOutput]:
    popularity = popularity_slices(counts, parameters.head_share, parameters.torso_share)
    for evaluation, batch in join(impressions, table, popularity, counts > 0, parameters):
        for example in example_coder.RecordBatchToExamples(batch):
            yield beam.pvalue.TaggedOutput(_SPLITS[evaluation], example)


def _histories(impressions: Impressions, parameters: JoinParameters, table: ItemTable) -> pa.Table:
    return final_histories(impressions, table, parameters).cast(_HISTORIES)


def _item_ages(timestamp: int, table: ItemTable) -> pa.Table:
    """Every item's age at a time."""
    ages = table.ages(np.arange(len(table.ids)), timestamp).astype(np.float32)
    ids = [i.decode() for i in table.ids]
    return pa.table({"item_id": ids, "age_days": ages}, _ITEM_AGES)


def _sum_counts(counts: Iterable[np.ndarray]) -> np.ndarray:
    return sum(counts)


def _sum_dicts(counts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    counts = list(counts)
    if not counts:
        return {}
    total = {
        name: sum(c[name] for c in counts if c)
        for name in counts[0]
        if name != "examples_of_unknown"
    }
    names = {name for c in counts if c for name in c["examples_of_unknown"]}
    return {**total, "examples_of_unknown": sorted(names)[:3]}


def _write_json(content: dict[str, Any], path: str) -> None:
    with beam.io.filesystems.FileSystems.create(path, "application/json") as file:
        file.write(json.dumps(content).encode())


def _refuse_unknown(counts_file: str, parameters: JoinParameters) -> None:
    with beam.io.filesystems.FileSystems.open(counts_file) as file:
        counts = json.loads(file.read())
    unknown, impressions = counts["unknown_items"], counts["impressions"]
    if unknown > parameters.max_unknown_fraction * impressions:
        raise InputError(
            f"{parameters.impressions}: column {parameters.item_column}: {unknown} of "
            f"{impressions} impressions ({unknown / impressions:.1%}) are of items that the items "
            f"file does not have, such as {', '.join(map(repr, counts['examples_of_unknown']))}; "
            f"at most {parameters.max_unknown_fraction:.1%} may be (join.max_unknown_fraction)"
        )


def _write_schema(directory: str, parameters: JoinParameters) -> None:
    """The context features alone: Transform then decodes nothing else."""
    schema = examples_lib.schema_of(
        {f"context_{column}": examples_lib.BYTES for column in parameters.categorical}
        | {f"context_{column}": examples_lib.FLOAT for column in parameters.numeric}
        | ({"context_item_age_days": examples_lib.FLOAT} if parameters.item_age else {})
        | {"history_length": examples_lib.FLOAT}
    )
    length = schema.feature[-1]
    length.shape.CopyFrom(schema_pb2.FixedShape(dim=[schema_pb2.FixedShape.Dim(size=1)]))
    length.presence.CopyFrom(schema_pb2.FeaturePresence(min_fraction=1.0, min_count=1))
    with beam.io.filesystems.FileSystems.create(os.path.join(directory, "schema.pbtxt")) as file:
        file.write(text_format.MessageToString(schema).encode())
