"""The comparison of a ranker with several baselines, as the summary has it and as a table."""

import io

import numpy as np
import pytest
import rich.console

from semantic_id_ranking.evaluation import predictions as columns
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slice_sums import histograms
from semantic_id_ranking.evaluation.slice_sums import slice_sums
from semantic_id_ranking.pipeline.evaluation_summary import evaluation_summary
from semantic_id_ranking.pipeline.evaluation_summary import metrics_table
from semantic_id_ranking.pipeline.evaluation_summary import slice_metrics
from semantic_id_ranking.pipeline.run_summary import ModelSummary
from semantic_id_ranking.pipeline.run_summary import RunSummary
from tests.evaluation.worlds import world
from tests.pipeline.test_run_summary import CONTENT

BASELINES = ("item_rate", "random_hash")


@pytest.fixture(scope="module")
def summary() -> RunSummary:
    """Of a world where item_rate is the stronger one in `watch`, random_hash in `click`."""
    found = world()
    found[columns.score_column("item_rate", "click")] = np.full(3000, 0.25, np.float32)
    found[columns.score_column("item_rate", "watch")] = found[columns.label_column("watch")] + 0.5
    spec = EvaluationSpec(
        {"click": "binary", "watch": "regression"}, ("candidate", *BASELINES), baselines=BASELINES
    )
    of_all = histograms(found, spec)
    report = make_report(spec, of_all, slice_sums(found, spec, of_all))
    models = {
        name: ModelSummary(
            representation=representation, table_rows=rows, metrics=slice_metrics(report, model)
        )
        for name, model, representation, rows in (
            ("ranker", "candidate", "sid_spm", 120),
            ("item_rate", "item_rate", "item_rate", 0),
            ("random_hash", "random_hash", "random_hash", 110),
        )
    }
    evaluation = evaluation_summary(report, models["ranker"])
    return RunSummary.model_validate(CONTENT).model_copy(
        update={"models": models, "evaluation": evaluation}
    )


def test_each_task_has_its_own_strongest_baseline(summary):
    assert summary.evaluation.strongest == {"click": "random_hash", "watch": "item_rate"}
    assert summary.evaluation.headline.startswith(
        "sid_spm over random_hash, the stronger of item_rate and random_hash, AUC of click: +."
    )


def test_differences_are_the_rankers_metric_less_each_baselines(summary):
    for task, metric in (("click", "auc"), ("watch", "rmse")):
        for name, compared in summary.evaluation.slices[task].items():
            assert list(compared.differences) == list(BASELINES)
            for baseline, of_baseline in compared.differences.items():
                own, other = (
                    getattr(summary.models[model].metrics[task][name], metric)
                    for model in ("ranker", baseline)
                )
                assert of_baseline[metric].estimate == pytest.approx(own - other)


def test_the_table_has_the_strongest_baseline_and_names_the_others_below(summary):
    console = rich.console.Console(file=io.StringIO(), width=160)
    console.print(metrics_table(summary))
    text = " ".join(console.file.getvalue().split())
    assert "Ranker: sid_spm, 120 rows. Baselines: item_rate; random_hash, 110 rows." in text
    click = summary.models["random_hash"].metrics["click"]["all"].auc
    watch = summary.models["item_rate"].metrics["watch"]["all"].rmse
    own = summary.models["ranker"].metrics
    assert f"{own['click']['all'].auc:.4f} {click:.4f} " in text
    assert f"{own['watch']['all'].rmse:.4f} {watch:.4f} " in text
    assert "AUC of click: item_rate 0.5000, difference +." in text
    assert "In the table: random_hash." in text
    assert "In the table: item_rate." in text
