"""Equality of Semantic IDs, tokenizer and joined examples across runners."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests import ROOT

ITEMS, IMPRESSIONS, FILES = 300, 1500, 5
HOUR = 3_600_000_000

# A process of its own: what varies is the seed of Python's hashes, and Beam's workers.
PROCESS = """
import sys
from tests.components.test_same_result_anywhere import run_components
run_components(sys.argv[1], sys.argv[2], sys.argv[3:])
"""


def write_inputs(folder: pathlib.Path) -> None:
    """Items and impressions as the ExampleGens write them, many at one time, some of nobody."""
    import tensorflow as tf

    def write(name, split, number, rows):
        path = folder / name / f"Split-{split}"
        path.mkdir(parents=True, exist_ok=True)
        file = str(path / f"data_tfrecord-{number:05d}-of-{FILES:05d}.gz")
        with tf.io.TFRecordWriter(file, "GZIP") as writer:
            for row in rows:
                example = tf.train.Example()
                for key, value in row.items():
                    kind = {bytes: "bytes_list", int: "int64_list"}.get(type(value), "float_list")
                    values = value if isinstance(value, list) else [value]
                    getattr(example.features.feature[key], kind).value.extend(values)
                writer.write(example.SerializeToString())

    rng = np.random.default_rng(0)
    order = rng.permutation(ITEMS)
    for number in range(FILES):
        for split in ("train", "eval"):
            mine = [i for i in order[number::FILES] if (i % 10 == 0) == (split == "eval")]
            rows = [
                {
                    "item_id": b"i%d" % i,
                    "created_at": int(i),
                    "embedding": rng.uniform(0, 8, 2).astype(np.float32).tolist(),
                }
                for i in mine
            ]
            write("items", split, number, rows)
            rows = []
            for _ in range(IMPRESSIONS // FILES // (1 if split == "train" else 4)):
                row = {
                    "item_id": b"i%d" % min(rng.zipf(1.3), ITEMS - 1),
                    "timestamp": int(rng.integers(0, 6) + 100 * (split == "eval")) * HOUR,
                }
                if rng.random() < 0.9:
                    row["user_id"] = b"u%d" % rng.integers(0, 12)
                if rng.random() < 0.9:
                    row["clicked"] = int(rng.integers(0, 2))
                rows.append(row)
            write("impressions", split, number, rows)


def run_components(inputs: str, output: str, beam_arguments: list[str]) -> None:
    """SemanticIdGen, SidTokenizerTrainer and FeatureJoiner, one after the other."""
    from tfx.dsl.components.base import base_beam_executor
    from tfx.types import standard_artifacts

    from semantic_id_ranking.components.artifacts import SemanticIds
    from semantic_id_ranking.components.artifacts import State
    from semantic_id_ranking.components.feature_joiner import executor as joiner
    from semantic_id_ranking.components.semantic_id_gen import executor as encoder
    from semantic_id_ranking.components.sid_tokenizer_trainer import executor as tokenizer
    from semantic_id_ranking.pipeline import assemble

    def artifact(kind, path, make=True):
        result = kind()
        result.uri = str(path)
        if make:
            pathlib.Path(path).mkdir(parents=True)
        if kind is standard_artifacts.Examples:
            result.split_names = json.dumps(["train", "eval"])
        return result

    def context(name):
        # Processes start anew for each component, which takes long: threads do for sums.
        summed = [a.replace("multi_processing", "multi_threading") for a in beam_arguments]
        arguments = summed if name == "tokenizer" else beam_arguments
        return base_beam_executor.BaseBeamExecutor.Context(
            beam_pipeline_args=assemble.beam_arguments(["--runner=FnApiRunner", *arguments]),
            tmp_dir=f"{output}/tmp/{name}",
            unique_id="1",
        )

    examples = standard_artifacts.Examples
    items = artifact(examples, f"{inputs}/items", make=False)
    impressions = artifact(examples, f"{inputs}/impressions", make=False)
    model = artifact(standard_artifacts.Model, f"{inputs}/model", make=False)
    sids = artifact(SemanticIds, f"{output}/sids")
    encoder.Executor(context("encoder")).Do(
        {"examples": [items], "model": [model]}, {"semantic_ids": [sids]}, {}
    )
    os.makedirs(f"{output}/tmp/tokenizer")
    tokenizer.Executor(context("tokenizer")).Do(
        {"semantic_ids": [sids], "examples": [impressions], "rqvae": [model]},
        {"model": [artifact(standard_artifacts.Model, f"{output}/tokenizer")]},
        {"rows": 260, "config": "{}"},
    )
    parameters = {
        "labels": {"click": "clicked"},
        "regressions": [],
        "positive": "clicked",
        "categorical": [],
        "numeric": [],
        "history_length": 5,
        "new_days": 1.0,
        "head_share": 0.5,
        "torso_share": 0.3,
        "max_unknown_fraction": 0.0,
        "shards": 4,
        "item_column": "item_id",
        "impressions": "log.parquet",
        "item_age": True,
        "current_item": False,
        "counters": True,
        "day_length": 2 * HOUR,
    }
    joiner.Executor(context("joiner")).Do(
        {"impressions": [impressions], "items": [items], "semantic_ids": [sids]},
        {
            "examples": [artifact(examples, f"{output}/joined")],
            "schema": [artifact(standard_artifacts.Schema, f"{output}/schema")],
            "state": [artifact(State, f"{output}/state")],
        },
        {"parameters": json.dumps(parameters), "span": 0},
    )


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Output folders of three runners."""
    import shutil

    from semantic_id_ranking.contracts.file_digests import write_file_digests
    from tests.encoding import floor_model

    folder = tmp_path_factory.mktemp("anywhere")
    write_inputs(folder)
    saved = floor_model.save_model(folder / "saved")
    shutil.copytree(saved, folder / "model" / "Format-Serving")
    codebooks = np.zeros((2, floor_model.SPACE.codebook_size, 1), np.float32)
    np.save(folder / "model" / "Format-Serving" / "assets.extra" / "codebooks.npy", codebooks)
    write_file_digests(str(folder / "model" / "Format-Serving"))
    runners = {
        "1": ["--direct_running_mode=in_memory"],
        "2": ["--direct_running_mode=multi_processing", "--direct_num_workers=2"],
        "3": ["--direct_running_mode=multi_threading", "--direct_num_workers=3"],
    }
    found = []
    for seed, arguments in runners.items():
        output = folder / f"output{seed}"
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }
        command = [sys.executable, "-c", PROCESS, str(folder), str(output), *arguments]
        subprocess.run(command, env=environment, check=True, timeout=550, capture_output=True)
        found.append(output)
    return found


def files(folder, pattern):
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    return {str(path.relative_to(folder)): path for path in found}


def read_examples(path):
    import tensorflow as tf

    return [
        tf.train.Example.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path), "GZIP")
    ]


def test_joined_examples_are_the_same_in_the_same_files(outputs):
    first, *others = [files(output, "joined/*/*.gz") for output in outputs]
    assert len(first) == 2 * 4
    examples = {name: read_examples(path) for name, path in first.items()}
    assert sum(map(len, examples.values())) == IMPRESSIONS // FILES * FILES * 5 // 4
    for other in others:
        assert set(other) == set(first)
        for name, path in other.items():
            assert read_examples(path) == examples[name], name


@pytest.mark.parametrize("pattern", ["sids/*.parquet", "state/**/*.parquet"])
def test_tables_are_the_same_bytes(outputs, pattern):
    first, *others = [files(output, pattern) for output in outputs]
    assert sum(pq.read_metadata(path).num_rows for path in first.values())
    for other in others:
        assert set(other) == set(first)
        for name, path in other.items():
            assert path.read_bytes() == first[name].read_bytes(), name


def test_the_tokenizer_is_the_same_bytes(outputs):
    first, *others = [files(output, "tokenizer/**/*") for output in outputs]
    assert any(name.endswith("spm.model") for name in first)
    for other in others:
        assert set(other) == set(first)
        for name, path in other.items():
            assert path.read_bytes() == first[name].read_bytes(), name


def test_every_impression_counts_for_the_tokenizer_whatever_its_label(outputs):
    with np.load(next(outputs[0].glob("tokenizer/**/impressed_items.npz"))) as arrays:
        assert arrays["impressions"].sum() == IMPRESSIONS // FILES * FILES
