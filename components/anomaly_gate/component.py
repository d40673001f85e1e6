"""AnomalyGate: what goes in; nothing comes out."""

from tfx.dsl.component.experimental.annotations import InputArtifact
from tfx.dsl.component.experimental.annotations import Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from semantic_id_ranking.components.anomaly_gate.check import check_anomalies


@component
def AnomalyGate(  # noqa: N802
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    schema: InputArtifact[standard_artifacts.Schema],
    source: Parameter[str],
    code_version: Parameter[str],
) -> None:
    """Stops the run if ExampleValidator found an anomaly.

    Components that must not see wrong data wait for it: `trainer.add_upstream_node(gate)`.

    Args:
        anomalies: Of ExampleValidator.
        schema: What it validated against.
        source: The input file, for the message.
        code_version: Of `check_anomalies`, so that a change of it is not answered from the cache.

    Raises:
        InputError: There is an anomaly.
    """
    check_anomalies(anomalies, schema, source)
