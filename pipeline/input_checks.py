"""Statistics, schema and validation of one input, and the gate that an anomaly closes."""

from collections.abc import Sequence

from tfx import v1 as tfx
from tfx.dsl.components.base import base_component

from semantic_id_ranking.components.anomaly_gate.check import check_anomalies
from semantic_id_ranking.components.anomaly_gate.component import AnomalyGate
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.schema_gen.component import SchemaGen


def input_checks(
    example_gen: base_component.BaseComponent,
    name: str,
    source: str,
    required: Sequence[str],
    categorical: Sequence[str],
    optional: Sequence[str] = (),
) -> list[base_component.BaseComponent]:
    """Makes the checks of one input.

    Args:
        example_gen: Reads the input.
        name: Ends the components' names, as in `SchemaGen.<name>`.
        source: Names the input, for messages.
        required: Features that every example must have.
        categorical: Features that are categories.
        optional: Features that any number of examples may lack.

    Returns:
        The components in their order; the last one is the gate, which whatever reads the input has
        to wait for.
    """
    statistics = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"]).with_id(
        f"StatisticsGen.{name}"
    )
    schema = SchemaGen(
        statistics=statistics.outputs["statistics"],
        required=required,
        optional=optional,
        categorical=categorical,
    ).with_id(f"SchemaGen.{name}")
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    ).with_id(f"ExampleValidator.{name}")
    gate = AnomalyGate(
        anomalies=validator.outputs["anomalies"],
        schema=schema.outputs["schema"],
        source=source,
        code_version=code_version(check_anomalies),
    ).with_id(f"AnomalyGate.{name}")
    return [statistics, schema, validator, gate]
