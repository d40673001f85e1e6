"""Component AnomalyGate: inputs, outputs and parameters."""

from tfx import v1 as tfx

from semantic_id_ranking.components.anomaly_gate.check import check_anomalies


@tfx.dsl.components.component
def AnomalyGate(  # noqa: N802
    anomalies: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleAnomalies],
    schema: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Schema],
    source: tfx.dsl.components.Parameter[str],
    code_version: tfx.dsl.components.Parameter[str],
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
