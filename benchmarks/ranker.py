"""Training speed of rankers, each representation against hashed IDs.

`make bench-ranker` trains on a world of 20,000 items with full histories of 50 and writes
`benchmarks/out/ranker.json`. With DATA=DIR the Semantic IDs and the popularity are those of a data
set. On two cores expect `ratio` of 0.8 or more for `sid_spm` and `sid_hybrid`.
"""

import dataclasses
import functools
import os
import statistics
from typing import Annotated

import typer
from absl import logging

from benchmarks import command
from benchmarks.interleave import interleave
from benchmarks.interleave import speed_ratio
from benchmarks.interleave import timed
from benchmarks.ranker_world import data_world
from benchmarks.ranker_world import RankerWorld
from benchmarks.ranker_world import synthetic_world
from semantic_id_ranking.pipeline.terminal import logged_to
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.train import train

BASELINE = "random_hash"
_MEASURED = ("sid_ngram", "sid_spm", "sid_hybrid")
_TASKS = (TaskConfig(),)


@dataclasses.dataclass(frozen=True)
class Setting:
    """Sizes of one comparison.

    Attributes:
        levels: L of the synthetic Semantic IDs.
        codebook_size: K.
        rows: Table budget of every representation.
    """

    levels: int
    codebook_size: int
    rows: int


_SETTINGS = (Setting(4, 256, 16_384), Setting(8, 2048, 32_768))


def compare(
    world: RankerWorld, rows: int, config: RankerConfig, steps: int, rounds: int
) -> list[dict[str, object]]:
    """Trains all representations in turns.

    A turn is `steps` training steps on batches that are already in memory, so that neither reading
    nor parsing counts. Turns are interleaved, and ratios are those of one round: what else the
    machine does falls on all.

    Args:
        world: Items and histories.
        rows: Table budget.
        config: The network.
        steps: Training steps in a turn.
        rounds: Turns of each representation.

    Returns:
        A report a representation, hashed IDs first: `representation`, `table_rows`,
        `examples_per_s` (median), `ratio` to hashed IDs (median over the rounds) and `ratios`.
    """
    names = [BASELINE, *(name for name in _MEASURED if name in REGISTRY)]
    turns, table_rows = {}, {}
    for name in names:
        of_items = REGISTRY[name](rows=rows)
        representation = of_items.create(config.embedding_dim, world.resources(of_items))
        data = world.batches(representation.fields, config.batch_size, steps).cache()
        model = train(data, representation, ContextSpec(), _TASKS, config, {}).model
        turns[name] = timed(functools.partial(model.fit, data, verbose=0))
        table_rows[name] = representation.table_rows
    seconds = interleave(turns, rounds, progress=logging.info)
    return [
        {
            "representation": name,
            "table_rows": table_rows[name],
            "examples_per_s": steps * config.batch_size / statistics.median(taken),
            "ratio": speed_ratio(taken, seconds[BASELINE]),
            "ratios": [b / a for a, b in zip(taken, seconds[BASELINE], strict=True)],
        }
        for name, taken in seconds.items()
    ]


def main(
    data: Annotated[str | None, typer.Option(help="Folder of a data set.")] = None,
    config: Annotated[str | None, typer.Option(help="YAML file of its configuration.")] = None,
    history: Annotated[int, typer.Option(help="Items in every history.")] = 50,
    batch_size: Annotated[int, typer.Option(help="Impressions in a step.")] = 1024,
    steps: Annotated[int, typer.Option(help="Steps in a turn.")] = 40,
    rounds: Annotated[int, typer.Option(help="Turns of each representation.")] = 15,
    output: str = "benchmarks/out/ranker.json",
) -> None:
    """Measures the training speed of rankers."""
    ranker = RankerConfig(epochs=1, batch_size=batch_size)
    runs = []
    with logged_to(f"{os.path.splitext(os.path.abspath(output))[0]}.log"):
        for setting in _SETTINGS[:1] if data else _SETTINGS:
            world = (
                data_world(data, config, history)
                if data
                else synthetic_world(setting.levels, setting.codebook_size, history)
            )
            for report in compare(world, setting.rows, ranker, steps, rounds):
                space = {"levels": world.space.levels, "codebook_size": world.space.codebook_size}
                runs.append({**space, "rows": setting.rows, **report})
                print(
                    f"L={world.space.levels} K={world.space.codebook_size} "
                    f"{report['representation']:12s} {report['examples_per_s']:9.0f} examples/s, "
                    f"{report['ratio']:.2f} of {BASELINE}",
                    flush=True,
                )
    command.write_json(
        output,
        {
            "data": data or "synthetic",
            "batch_size": batch_size,
            "embedding_dim": ranker.embedding_dim,
            "history": history,
            "steps": steps,
            "runs": runs,
        },
    )


if __name__ == "__main__":
    command.run(main)
