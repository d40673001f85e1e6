"""Common executor of ItemGen and ImpressionGen: reading, encoding and writing on Beam."""

import abc
import json
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from semantic_id_ranking._compat import beam_pipeline
from semantic_id_ranking.components.example_gen.write_block import Features
from semantic_id_ranking.components.example_gen.write_block import WriteBlock
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.inputs.rejects import Reject
from semantic_id_ranking.inputs.rejects import to_table

#: Beside the splits, in the folder of the Examples.
COUNTS = "counts.json"
REJECTS = "rejects.parquet"
_SPLITS = ("train", "eval")


class ParquetExampleGenExecutor(base_beam_executor.BaseBeamExecutor, abc.ABC):
    """Checks the input in this process; Beam's workers then encode and write it, block by block.

    TFX's BaseExampleGenExecutor passes every Example through Beam by itself, which costs ten times
    all the rest; here a worker writes a block's Examples as it encodes them.
    """

    @abc.abstractmethod
    def prepare(
        self, data: Mapping[str, DataSet], parameters: dict[str, Any]
    ) -> tuple[Sequence[Any], Features, Mapping[str, int], Sequence[Reject]]:
        """Checks the input.

        Args:
            data: What the component read of its inputs, by their names.
            parameters: As the component got them.

        Returns:
            Blocks that can be read side by side, of any type that can be pickled; what reads one;
            what was counted; the bad rows.

        Raises:
            InputError: The input is wrong. It reaches the caller of the pipeline as it is.
        """

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: Empty.
            output_dict: `examples`: folders `Split-train` and `Split-eval`, in each one gzipped
                TFRecord file a block; `counts.json`; `rejects.parquet` if there are bad rows.
            exec_properties: `data`, JSON of what `Fingerprints.record` gives of each input, and
                `parameters`, JSON.

        Raises:
            InputError: The input is wrong, or has changed.
        """
        fingerprints = Fingerprints()
        records = json.loads(exec_properties["data"])
        data = {name: fingerprints.open_recorded(record) for name, record in records.items()}
        blocks, features, counts, rejects = self.prepare(
            data, json.loads(exec_properties["parameters"])
        )
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(list(_SPLITS))
        folders = [artifact_utils.get_split_uri([examples], split) for split in _SPLITS]
        for folder in folders:
            fileio.makedirs(folder)
        with fileio.open(os.path.join(examples.uri, COUNTS), "w") as file:
            file.write(json.dumps({**counts, "rejected": len(rejects)}))
        if rejects:
            with FileSystems.create(os.path.join(examples.uri, REJECTS)) as file:
                pq.write_table(to_table(rejects), file)
        with beam_pipeline(self) as pipeline:
            _ = (
                pipeline
                | "Blocks" >> beam.Create(list(enumerate(blocks)), reshuffle=False)
                # Else the runner fuses everything into one worker.
                | "Spread" >> beam.Reshuffle()
                | "Write" >> beam.ParDo(WriteBlock(features, folders[0], folders[1], len(blocks)))
            )
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")
