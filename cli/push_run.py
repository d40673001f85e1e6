"""`sid push --run`: a new release of a finished run."""

import os
from typing import Any

import rich.console

from semantic_id_ranking.components.releaser.release_models import release_models
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.blessed import read_blessed
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.terminal import logged_to


def push_run(run: str, console: rich.console.Console) -> dict[str, Any]:
    """Makes the models of a run's newest blessed training the newest versions in its `serving/`.

    Its Semantic IDs are put into the store before, where the run's configuration names one. A model
    that is served already stays; one that is an older version, or was rolled back, is renamed to a
    new number; one that is not there is copied from the run's artifacts.

    Args:
        run: Output folder of the run.
        console: Where to say what was done.

    Returns:
        The same, for `--json`: `versions`, the newest one of each model; `pushed`, names of those
        of which it is new.

    Raises:
        InputError: No run into the folder was blessed, a model is missing, is damaged or does not
            answer, or the store does not; what was served stays served.
    """
    blessed = read_blessed(run)
    for path in blessed.models.values():
        model = os.path.join(run, path)
        if not os.path.isdir(model):
            raise InputError(f"{model}: no such folder; {run} no longer has the model it pushed")
    with output_lock(run, "sid push"), logged_to(os.path.join(run, "logs", "push.log")):
        outcome = release_models(os.path.join(run, "serving"), blessed)
    versions = {name: outcome.versions[name] for name in blessed.models}
    for name, version in versions.items():
        console.print(
            f"{name}: version {version} "
            + ("is pushed" if name in outcome.pushed else "is served already"),
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    return {"versions": versions, "pushed": sorted(outcome.pushed)}
