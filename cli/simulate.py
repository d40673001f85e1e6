"""`sid simulate`: a data set in the input contract whose true probabilities are known."""

from typing import Any

import rich.console

from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.simulation.simulation_config import SimulationConfig
from semantic_id_ranking.simulation.write import write


def simulate(
    output: str, config: SimulationConfig, console: rich.console.Console
) -> dict[str, Any]:
    """Writes the files and says what is in them.

    Args:
        output: Their folder.
        config: What is simulated.
        console: Where to say it.

    Returns:
        `output`, and the numbers that `write` returns.
    """
    require_folder_name(output)
    found = write(config, output)
    means = ", ".join(f"{label} {mean:.3g}" for label, mean in found["means"].items())
    console.print(
        f"{output}: {found['items']:,} items, and {found['impressions']:,} impressions of "
        f"{found['first_day']} to {found['last_day']}; {found['new_impressions']:,} of them are of "
        f"items on their first two days; means of the labels: {means}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return {"output": output, **found}
