"""A Transform graph and a tokenizer for the ranker's tests."""

import functools
import pathlib

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata
from tensorflow_transform.tf_metadata import metadata_io
from tensorflow_transform.tf_metadata import schema_utils

from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.preprocessing import preprocessing_fn
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests import ROOT
from tests.trainer import ranker_cases as cases


@pytest.fixture(scope="session")
def transform_path(tmp_path_factory) -> str:
    """A Transform graph over `ranker_cases.ANALYSED`."""
    return _transform(tmp_path_factory.mktemp("transform"), cases.COLUMNS)


@pytest.fixture(scope="session")
def aged_transform_path(tmp_path_factory) -> str:
    """The same with the candidates' ages, `ranker_cases.AGES`."""
    return _transform(tmp_path_factory.mktemp("transform"), {**cases.COLUMNS, "item_age": True})


@pytest.fixture(scope="session")
def counted_transform_path(tmp_path_factory) -> str:
    """The same with counters of one task, `ranker_cases.COUNTED`."""
    return _transform(tmp_path_factory.mktemp("transform"), cases.COUNTED_COLUMNS)


def _transform(folder: pathlib.Path, columns: dict) -> str:
    """Writes a Transform graph as TFX Transform does."""
    spec = {
        "context_tab": tf.io.VarLenFeature(tf.string),
        "context_hour": tf.io.VarLenFeature(tf.float32),
        "history_length": tf.io.FixedLenFeature([1], tf.float32),
    }
    if columns.get("item_age"):
        spec["context_item_age_days"] = tf.io.VarLenFeature(tf.float32)
    counted = cases.COUNTED if columns.get("counters") else {}
    spec |= {
        name: tf.io.FixedLenFeature([len(values[0])], tf.float32)
        for name, values in counted.items()
    }
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    rows = [
        {
            "context_tab": [] if tab is None else [tab],
            "context_hour": [] if hour is None else [hour],
            "history_length": [length],
            "context_item_age_days": [age],
        }
        for (tab, hour, length), age in zip(cases.ANALYSED, cases.AGES, strict=True)
    ]
    for index, row in enumerate(rows):
        row |= {name: values[index] for name, values in counted.items()}
    rows = [{name: row[name] for name in spec} for row in rows]
    # As TFX has it; it allows a single pass over the data on Beam 2.74.
    with tft_beam.Context(temp_dir=str(folder / "tmp"), use_deep_copy_optimization=True):
        fitted = (rows, metadata) | tft_beam.AnalyzeDataset(
            functools.partial(preprocessing_fn, custom_config=columns)
        )
        _ = fitted | tft_beam.WriteTransformFn(str(folder / "graph"))
    metadata_io.write_metadata(metadata, str(folder / "graph" / "metadata"))
    return str(folder / "graph")


@pytest.fixture(scope="session")
def context(transform_path) -> ContextTransform:
    return ContextTransform(tft.TFTransformOutput(transform_path), **cases.COLUMNS)


@pytest.fixture(scope="session")
def counted(counted_transform_path) -> ContextTransform:
    output = tft.TFTransformOutput(counted_transform_path)
    return ContextTransform(output, **cases.COUNTED_COLUMNS)


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory) -> str:
    directory = str(tmp_path_factory.mktemp("tokenizer"))
    sids = np.array([[a, b] for a in range(4) for b in range(4)])
    ids = [f"i{first}{second}" for first, second in sids]
    codebooks = np.random.default_rng(0).normal(size=(cases.LEVELS, cases.CODES, 5))
    trained = SidTokenizer.fit(
        sids, np.arange(1, 17), cases.SPACE, 12, ids, codebooks.astype(np.float32)
    )
    trained.save(directory)
    return directory


@pytest.fixture
def din(monkeypatch) -> str:
    """The dotted name of the example."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "own_ranker"))
    return "din_ranker.DinRanker"
