"""Beam: a block of the input to files of tf.Examples. No TFX here: its import slows workers."""

import os
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf

from semantic_id_ranking.components.example_gen.encode import encode
from semantic_id_ranking.components.example_gen.encode import to_record_batch

# Takes a block; yields features of a batch of rows, and whether each row evaluates.
Features = Callable[[Any], Iterable[tuple[Mapping[str, pa.Array], np.ndarray]]]


class WriteBlock(beam.DoFn):
    """Writes each block's Examples to one gzipped TFRecord file a split.

    A block that is done twice replaces its own files. A file without Examples is written too,
    because readers of a split want at least one.

    Args:
        features: What reads a block.
        train_folder: Where the rows go that train.
        eval_folder: Where the rows go that evaluate.
        blocks: Number of blocks; they come in as (number, block), numbered from 0.
    """

    def __init__(self, features: Features, train_folder: str, eval_folder: str, blocks: int):
        self._features = features
        self._train_folder = train_folder
        self._eval_folder = eval_folder
        self._blocks = blocks

    def process(self, numbered_block: tuple[int, Any]) -> None:
        """Writes one block."""
        number, block = numbered_block
        name = f"data_tfrecord-{number:05d}-of-{self._blocks:05d}.gz"
        # The default level takes seven times as long, for files a fifth smaller.
        options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
        with ExitStack() as stack:
            train, evaluation = (
                stack.enter_context(tf.io.TFRecordWriter(os.path.join(folder, name), options))
                for folder in (self._train_folder, self._eval_folder)
            )
            for features, evaluates in self._features(block):
                examples = encode(to_record_batch(features))
                for example, evaluate in zip(examples, evaluates.tolist(), strict=True):
                    (evaluation if evaluate else train).write(example)
