"""The claims about Semantic IDs, tested on a data set.

`make paper DATA=DIR OUT=DIR2 [SEEDS=3] [QUICK=1]` trains every representation at several table
budgets and seeds on one split, with one model and as many steps each, and writes `paper.json`,
`paper.md` and plots into DIR2. Expect less than an hour for 600,000 impressions on two cores, and
less than ten minutes with QUICK=1.

Every result is kept in DIR2/trials as soon as it is there. An interrupted sweep that is started
again trains only what is missing for its data, configuration and seeds. The code is not looked at:
remove DIR2/trials after a change of it. A ranker that fails twice is named in the report, the
claims that need it are not tested, and the exit status is 1.
"""

import os
import time
from typing import Annotated

import typer

from benchmarks import command
from benchmarks.claims import all_claims
from benchmarks.data_set import DataSet
from benchmarks.data_set import read_data_set
from benchmarks.kept_results import KeptResults
from benchmarks.paper_plots import draw_plots
from benchmarks.paper_report import copy_rows
from benchmarks.paper_report import failed_rows
from benchmarks.paper_report import markdown
from benchmarks.paper_report import run_rows
from benchmarks.scores import Scores
from benchmarks.sweep import all_sids
from benchmarks.sweep import default_workers
from benchmarks.sweep import FailedTrial
from benchmarks.sweep import make_plan
from benchmarks.sweep import Plan
from benchmarks.sweep import run_trials
from benchmarks.trial import Bench
from benchmarks.trial import TrialResult
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.terminal import logged_to

_QUICK_IMPRESSIONS = 150_000
_QUICK_SEEDS = 2


def main(
    data: Annotated[str, typer.Option(help="Folder of a data set.")],
    out: Annotated[str, typer.Option(help="Folder of the report.")],
    config: Annotated[str | None, typer.Option(help="YAML file of the configuration.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Overrides one field; may be repeated.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 3,
    quick: Annotated[bool, typer.Option(help="Two seeds, two budgets, fewer users.")] = False,
    impressions: Annotated[
        int, typer.Option(help="Impressions, at most: those of random users.")
    ] = 650_000,
    resamples: Annotated[int, typer.Option(help="Draws of the bootstrap.")] = 500,
    workers: Annotated[
        int | None, typer.Option(help="Processes; by default, the processors.", min=1)
    ] = None,
) -> None:
    """Runs the sweep and tests the claims."""
    start = time.monotonic()
    loaded = load_config(config, overrides or ())
    if loaded.positive_task is None:
        raise ConfigError(f"{config}: tasks: none is binary; the claims are about AUC")
    if quick:
        seeds, impressions = min(seeds, _QUICK_SEEDS), min(impressions, _QUICK_IMPRESSIONS)
    data_set = read_data_set(data, loaded).sample_users(impressions, seed=0)
    kept = KeptResults(os.path.join(out, "trials"), (data_set, resamples))
    with logged_to(os.path.join(out, "paper.log")):
        plan, results, failed = _sweep(
            data_set, seeds, quick, resamples, workers or default_workers(), kept
        )
    scores = Scores(results, loaded.positive_task.name, failed)
    claims = all_claims(scores, plan)
    evaluation = data_set.impressions.evaluation
    settings = {
        "impressions": len(evaluation),
        "evaluated": int(evaluation.sum()),
        "items": len(data_set.items.ids),
        "task": loaded.positive_task.name,
        "seeds": seeds,
        "levels": loaded.rqvae.levels,
        "codebook_size": loaded.rqvae.codebook_size,
        "epochs": loaded.ranker.epochs,
        "batch_size": loaded.ranker.batch_size,
        "history": loaded.history.length,
        "minutes": round((time.monotonic() - start) / 60, 1),
    }
    command.write_json(
        os.path.join(out, "paper.json"),
        {
            "data": data_set.name,
            "settings": settings,
            "runs": run_rows([r for r in results if r.trial.world == "main"]),
            "v0_runs": run_rows([r for r in results if r.trial.world == "v0"]),
            "copies": copy_rows(results),
            "left_out": [
                {"representation": label, "rows": rows, "why": why}
                for label, rows, why in plan.left_out
            ],
            "failed": failed_rows(failed),
            "claims": [claim.as_dict() for claim in claims],
        },
    )
    plots = draw_plots(scores, out)
    with open(os.path.join(out, "paper.md"), "w", encoding="utf-8") as file:
        file.write(markdown(data_set.name, settings, scores, claims, plan, plots, failed))
    for claim in claims:
        print(f"claim {claim.number} {claim.verdict}: {claim.text}")
    if failed:
        print(f"{len(failed)} rankers failed; {os.path.join(out, 'paper.log')} has the reasons")
        raise typer.Exit(1)


def _sweep(
    data: DataSet, seeds: int, quick: bool, resamples: int, workers: int, kept: KeptResults
) -> tuple[Plan, list[TrialResult], list[FailedTrial]]:
    """Trains the RQ-VAEs, then all rankers."""
    start = time.monotonic()
    print(f"{data.name}: {len(data.impressions)} impressions; Semantic IDs of {2 * seeds} RQ-VAEs")
    sids = all_sids(data, seeds, kept)
    plan = make_plan(Bench(data, sids, resamples), data, seeds, quick)
    for label, rows, why in plan.left_out:
        print(f"left out: {label} at {rows} rows: {why}")
    print(
        f"{len(plan.trials)} rankers, after {(time.monotonic() - start) / 60:.1f} min", flush=True
    )
    return plan, *run_trials(data, sids, plan.trials, resamples, workers, kept)


if __name__ == "__main__":
    command.run(main)
