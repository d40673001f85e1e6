"""Metrics of a day: its rows in `days.parquet`, and its line."""

import json
import types

import numpy as np
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.evaluation import predictions as columns
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slice_sums import histograms
from semantic_id_ranking.evaluation.slice_sums import slice_sums
from semantic_id_ranking.pipeline.days.day_metrics import add_day_metrics
from semantic_id_ranking.pipeline.days.day_metrics import day_headline
from tests.evaluation.worlds import world
from tests.pipeline.days.test_ledger import record

BASELINES = ("item_rate", "random_hash")


@pytest.fixture
def metrics() -> dict:
    """What the evaluator writes of a day."""
    found = world()
    found[columns.score_column("item_rate", "click")] = np.full(3000, 0.25, np.float32)
    spec = EvaluationSpec({"click": "binary"}, ("candidate", *BASELINES), baselines=BASELINES)
    of_all = histograms(found, spec)
    return make_report(spec, of_all, slice_sums(found, spec, of_all))


def test_a_day_has_rows_of_what_is_served_and_of_each_baseline(metrics, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    evaluation = types.SimpleNamespace(uri=str(tmp_path))
    records = types.SimpleNamespace(output=lambda *_: evaluation)
    for number in (19784, 19785, 19784):
        day = record(number)
        assert add_day_metrics(str(tmp_path), records, day) == metrics
    rows = pq.read_table(tmp_path / "days.parquet").to_pylist()
    # The day after it follows the day that was done again no more.
    assert {row["day"] for row in rows} == {day.start}
    auc = {row["model"]: row["auc"] for row in rows if row["slice"] == "all"}
    of_all = metrics["tasks"]["click"]["slices"]["all"]["models"]
    assert auc == {
        "served": of_all["candidate"]["auc"],
        **{name: of_all[name]["auc"] for name in BASELINES},
    }


def test_the_line_of_a_day_has_every_baseline(metrics):
    all_, new = (
        [slices[name]["models"][model]["auc"] for model in ("candidate", *BASELINES)]
        for slices in (metrics["tasks"]["click"]["slices"],)
        for name in ("all", "new")
    )
    assert all_[1] == 0.5
    assert day_headline(metrics, record(19784, 101)) == (
        f"2024-03-02: AUC of click {all_[0]:.4f} (item_rate 0.5000, random_hash {all_[2]:.4f}), "
        f"AUC of click on new items {new[0]:.4f} (item_rate 0.5000, random_hash {new[2]:.4f}), "
        "drift: unknown, released as version 101"
    )
