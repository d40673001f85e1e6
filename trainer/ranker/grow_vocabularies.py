"""Growth of the vocabularies of a Transform graph by the categories of new examples."""

import collections
import os
import shutil
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.features import read_examples

_SCHEMA_FILE = os.path.join(tft.TFTransformOutput.TRANSFORMED_METADATA_DIR, "schema.pbtxt")
_BATCH = 4096


def grow_vocabularies(
    transform_output: str, patterns: Sequence[str], categorical: Sequence[str], directory: str
) -> dict[str, int]:
    """Copies a Transform graph, with vocabularies that have new categories at their end.

    A category keeps its ID; the one of categories that no vocabulary has stays the last. Moments of
    numbers are those of the graph.

    Args:
        transform_output: What Transform wrote with `preprocessing.preprocessing_fn`.
        patterns: File patterns of joined examples. All their categories are added, the most
            frequent first, equally frequent ones by their bytes; but, as Transform does it, neither
            the empty string nor one with a line break.
        categorical: The categorical context columns.
        directory: Where the new graph goes; an empty folder, or none.

    Returns:
        By column the number of new categories.
    """
    shutil.copytree(transform_output, directory, dirs_exist_ok=True)
    if not categorical:
        return {}
    names = {context_feature(column): column for column in categorical}
    counts: dict[str, collections.Counter] = {name: collections.Counter() for name in names}
    spec = {name: tf.io.VarLenFeature(tf.string) for name in names}
    for batch in read_examples(patterns, spec, _BATCH):
        for name, column in batch.items():
            counts[name].update(column.values.numpy().tolist())
    graph = tft.TFTransformOutput(directory)
    sizes, grown = {}, {}
    for name, column in names.items():
        vocabulary = graph.vocabulary_by_name(name)
        known = {b"", *vocabulary}
        new = [
            (-count, word)
            for word, count in counts[name].items()
            if word not in known and not set(b"\r\n") & set(word)
        ]
        words = [word for _, word in sorted(new)]
        with tf.io.gfile.GFile(graph.vocabulary_file_by_name(name), "ab") as file:
            file.write(b"".join(word + b"\n" for word in words))
        grown[column], sizes[name] = len(words), len(vocabulary) + len(words)
    _write_sizes(os.path.join(directory, _SCHEMA_FILE), sizes)
    return grown


def _write_sizes(path: str, sizes: dict[str, int]) -> None:
    """Corrects what the schema of the transformed features says on the vocabularies' sizes."""
    with tf.io.gfile.GFile(path) as file:
        schema = text_format.Parse(file.read(), schema_pb2.Schema())
    for feature in schema.feature:
        if feature.name in sizes and feature.HasField("int_domain"):
            # The last ID is that of all other categories.
            feature.int_domain.max = sizes[feature.name]
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(text_format.MessageToString(schema))
