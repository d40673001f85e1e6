"""Component DayGuard: inputs, outputs and parameters."""

from tfx import v1 as tfx

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.day_guard.check import check_day


@tfx.dsl.components.component
def DayGuard(  # noqa: N802
    statistics: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    earlier_statistics: tfx.dsl.components.InputArtifact[
        tfx.types.standard_artifacts.ExampleStatistics
    ],
    earlier_semantic_ids: tfx.dsl.components.InputArtifact[SemanticIds],
    parameters: tfx.dsl.components.Parameter[str],
    code_version: tfx.dsl.components.Parameter[str],
) -> None:
    """Stops a day whose impressions differ too much from those of the last accepted day.

    Components that must not see wrong data wait for it: `joiner.add_upstream_node(guard)`.

    Args:
        statistics: Of StatisticsGen, of the day's impressions.
        earlier_statistics: Of those of the last accepted day.
        earlier_semantic_ids: As of that day.
        parameters: JSON of what is compared and of how far it may differ, as `check_day` reads it.
        code_version: Of `check_day`, so that a change of it is not answered from the cache.

    Raises:
        InputError: They differ too much.
    """
    check_day(statistics, earlier_statistics, earlier_semantic_ids, parameters)
