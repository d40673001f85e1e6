"""A run's ranker and its baselines against LightGBM with the same context and counters.

`make bench-ranker-quality DATA=DIR OUT=DIR2 [CONFIG=FILE]` runs the pipeline on a data set with
counters, gives LightGBM what the rankers read beside the items (context columns, counters, age and
length of the history, after Transform), and writes `DIR2/ranker_quality.json`: AUC, GAUC and the
other metrics of the evaluation period by task and slice, and the ranker's differences with paired
95 % intervals. Expect the time of a run and a minute for each binary task.

A run whose folder (`DIR2/run`) has a summary already is not repeated, whatever its configuration
was.
"""

import os
import subprocess
import sys
import tempfile
from typing import Annotated
from typing import Any

import numpy as np
import typer

from benchmarks import command
from benchmarks import peers
from benchmarks.finished_run import FinishedRun
from benchmarks.finished_run import Split
from semantic_id_ranking.evaluation import slice_sums
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.predictions import label_column
from semantic_id_ranking.evaluation.predictions import score_column
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slices import SLICE_FEATURES
from semantic_id_ranking.pipeline import exit_status
from semantic_id_ranking.pipeline.load_config import load_config

_SID = "import sys; from semantic_id_ranking.cli.main import main; sys.exit(main())"
_PEER = "lightgbm"
_PRINTED = ("auc", "gauc")


def peer_scores(
    run: FinishedRun, train: Split, evaluated: Split
) -> tuple[np.ndarray, dict[str, Any]]:
    """LightGBM's scores float32 [M, T] of the evaluation split, and the settings that it chose."""
    with tempfile.TemporaryDirectory() as folder:
        for name, array in (
            ("features_train", train.features),
            ("labels_train", train.labels),
            ("time_train", train.time),
            ("features_eval", evaluated.features),
        ):
            np.save(os.path.join(folder, f"{name}.npy"), array)
        names = [task.name for task in run.tasks]
        request = {"tasks": names, "categorical": run.categorical}
        chosen = peers.run("lightgbm_scores", folder, request)
        return np.load(os.path.join(folder, "scores.npy")), chosen


def compare(run: FinishedRun) -> dict[str, Any]:
    """The report of `evaluation.report` on ranker, baselines, LightGBM, and LightGBM's settings.

    Args:
        run: The run.
    """
    models = ("candidate", *run.baselines)
    tasks = {task.name: task.type for task in run.tasks}
    slices = tuple(SLICE_FEATURES)
    columns = dict(run.predictions(EvaluationSpec(tasks, models, slices)))
    train, evaluated = run.split("train"), run.split("eval")
    if not (
        np.array_equal(columns["time"], evaluated.time)
        and np.array_equal(columns["item"], evaluated.item)
    ):
        raise RuntimeError("predictions and examples are of different impressions")
    scores, chosen = peer_scores(run, train, evaluated)
    for position, task in enumerate(tasks):
        np.testing.assert_array_equal(columns[label_column(task)], evaluated.labels[:, position])
        columns[score_column(_PEER, task)] = scores[:, position]
    spec = EvaluationSpec(tasks, (*models, _PEER), slices, run.baselines)
    histograms = slice_sums.histograms(columns, spec)
    sums = slice_sums.slice_sums(columns, spec, histograms)
    return {"lightgbm": chosen, **make_report(spec, histograms, sums)}


def main(
    data: Annotated[str, typer.Option(help="Folder of a data set.")],
    out: Annotated[str, typer.Option(help="Folder of the run and of the report.")],
    config: Annotated[str | None, typer.Option(help="YAML file of the configuration.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Overrides one field; may be repeated.")
    ] = None,
) -> None:
    """Runs the pipeline, then compares."""
    settings = ["context.counters=true", *(overrides or ())]
    loaded = load_config(config, settings)
    folder = os.path.join(out, "run")
    if not os.path.exists(os.path.join(folder, "summary.json")):
        inputs = [f"--{name}={data}/{name}.parquet" for name in ("items", "impressions")]
        options = [option for setting in settings for option in ("--set", setting)]
        if config is not None:
            options += ["--config", config]
        program = [sys.executable, "-W", "ignore", "-c", _SID, "run", f"--output={folder}"]
        status = subprocess.run([*program, *inputs, *options]).returncode
        if status not in (0, exit_status.NOT_BLESSED):
            raise typer.Exit(status)
    report = compare(FinishedRun(folder, loaded))
    command.write_json(os.path.join(out, "ranker_quality.json"), report)
    for task, content in report["tasks"].items():
        of_all = content["slices"]["all"]
        for peer in of_all["differences"]:
            for metric in _PRINTED:
                ours, theirs = (of_all["models"][m][metric] for m in ("candidate", peer))
                found = of_all["differences"][peer][metric]
                print(
                    f"{task} {metric}: ranker {ours:.4f}, {peer} {theirs:.4f}, difference "
                    f"{found['estimate']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]"
                )


if __name__ == "__main__":
    command.run(main)
