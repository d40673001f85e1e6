"""Artifacts with files, for executors to read and write."""

import json
import pathlib

import tensorflow as tf
from tfx.dsl.components.base import base_beam_executor

from semantic_id_ranking.pipeline.assemble import LOCAL_BEAM_ARGUMENTS

_KINDS = {bytes: "bytes_list", int: "int64_list", float: "float_list"}


def artifact(kind, folder):
    """An artifact of a TFX type, whose folder is made."""
    result = kind()
    result.uri = str(folder)
    pathlib.Path(folder).mkdir()
    return result


def example(**features):
    """A serialised tf.train.Example; a feature is one value or a list of some."""
    result = tf.train.Example()
    for name, value in features.items():
        values = value if isinstance(value, list) else [value]
        getattr(result.features.feature[name], _KINDS[type(values[0])]).value.extend(values)
    return result.SerializeToString()


def write_examples(artifact, **splits):
    """Writes the Examples of each split into one file."""
    return write_example_files(artifact, **{split: [rows] for split, rows in splits.items()})


def write_example_files(artifact, **splits):
    """Writes each split's files of Examples."""
    artifact.split_names = json.dumps(list(splits))
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    for split, files in splits.items():
        folder = pathlib.Path(artifact.uri) / f"Split-{split}"
        folder.mkdir(parents=True)
        for number, rows in enumerate(files):
            path = folder / f"data_tfrecord-{number:05d}-of-{len(files):05d}.gz"
            with tf.io.TFRecordWriter(str(path), options) as file:
                for row in rows:
                    file.write(row)
    return artifact


def beam_context(folder):
    """The context of an executor that runs Beam in this process."""
    return base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(LOCAL_BEAM_ARGUMENTS),
        tmp_dir=str(folder),
        unique_id="1",
    )
