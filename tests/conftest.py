"""Shared fixtures, above all one small run of the real pipeline."""

import dataclasses
import os
import pathlib
import sys
import warnings
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
warnings.filterwarnings("ignore")

import pytest  # noqa: E402

from tests import FOLDERS  # noqa: E402

SMALL = """
tasks:
  - {name: click, label: click}
  - {name: watch, label: watch_seconds, type: regression, weight: 0.2}
context: {categorical: [tab], numeric: [hour], counters_as_of: event}
rqvae: {levels: 3, codebook_size: 16, epochs: 10, batch_size: 64}
representation: {rows: 120}
ranker:
  embedding_dim: 16
  bottom_widths: [32]
  head_widths: [16]
  epochs: 4
  batch_size: 128
  learning_rate: 0.003
  table_learning_rate: 0.1
thresholds: [{task: click, value: 0.5}]
"""


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """A run over `tests/synthetic.py`.

    Attributes:
        items: Path of the items.
        impressions: Path of the impressions.
        config: Path of the configuration.
        output: Its output folder.
        summary: What `summary.json` holds.
        lines: What it printed.
        records: What ML Metadata recorded of it; later runs into the folder do not change it.
    """

    items: str
    impressions: str
    config: str
    output: str
    summary: dict[str, Any]
    lines: str
    records: Any


@pytest.fixture(scope="session", autouse=True)
def one_name_each():
    """No module was imported under a second name: its classes would be others of the same name."""
    yield
    twice = FOLDERS.intersection(sys.modules)
    assert not twice, f"import {sorted(twice)} from semantic_id_ranking"


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> FinishedRun:
    """One run of the real pipeline, over a world of 480 items and 6,000 impressions."""
    import io

    import rich.console

    from semantic_id_ranking.pipeline import run as run_lib
    from semantic_id_ranking.pipeline.load_config import load_config
    from semantic_id_ranking.pipeline.run_records import RunRecords
    from tests import synthetic

    folder: pathlib.Path = tmp_path_factory.mktemp("run")
    catalogue = synthetic.items()
    items = synthetic.write(catalogue, folder / "items.parquet")
    impressions = synthetic.write(synthetic.impressions(catalogue), folder / "impressions.parquet")
    config = folder / "config.yaml"
    config.write_text(SMALL)
    printed = io.StringIO()
    console = rich.console.Console(file=printed, width=160)
    output = str(folder / "output")
    summary = run_lib.run(items, impressions, output, load_config(str(config)), console)
    return FinishedRun(
        items,
        impressions,
        str(config),
        output,
        summary.to_json(),
        printed.getvalue(),
        RunRecords(os.path.join(output, "metadata.sqlite")),
    )
