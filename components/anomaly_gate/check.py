"""The check of AnomalyGate."""

import os

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils

from semantic_id_ranking.contracts.errors import InputError

_MAX_VALUES = 10


def check_anomalies(anomalies: types.Artifact, schema: types.Artifact, source: str) -> None:
    """Refuses data with anomalies.

    Args:
        anomalies: An ExampleAnomalies artifact, `Split-*/SchemaDiff.pb`.
        schema: The Schema artifact it was made with.
        source: The input file, for the message.

    Raises:
        InputError: There is an anomaly. Names each split and feature, what was expected and what
            came.
    """
    expected = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema.uri))
    features = {feature.name: feature for feature in expected.feature}
    complaints = []
    for split in artifact_utils.decode_split_names(anomalies.split_names):
        folder = artifact_utils.get_split_uri([anomalies], split)
        with fileio.open(os.path.join(folder, "SchemaDiff.pb"), "rb") as file:
            found = anomalies_pb2.Anomalies.FromString(file.read())
        if found.HasField("dataset_anomaly_info"):
            complaints.append(f"split {split!r}: {_text(found.dataset_anomaly_info)}")
        for _, info in sorted(found.anomaly_info.items()):
            name = ".".join(info.path.step)
            wanted = describe(features[name]) if name in features else "no such feature"
            complaints.append(
                f"split {split!r}, feature {name!r}: expected {wanted}; found: {_text(info)}"
            )
    if complaints:
        raise InputError(f"{source}: {'; '.join(complaints)}.")


def describe(feature: schema_pb2.Feature) -> str:
    """Describes the expectations of a schema on a feature."""
    parts = [schema_pb2.FeatureType.Name(feature.type)]
    if feature.shape.dim:
        parts.append(f"of shape [{', '.join(str(dim.size) for dim in feature.shape.dim)}]")
    if feature.presence.min_fraction:
        parts.append(f"present in at least {feature.presence.min_fraction:.0%} of the rows")
    values = list(feature.string_domain.value)
    if values:
        listed = ", ".join(values[:_MAX_VALUES]) + (", ..." if len(values) > _MAX_VALUES else "")
        mass = feature.distribution_constraints.min_domain_mass
        parts.append(f"at least {mass:.0%} of its values among {listed}")
    return ", ".join(parts)


def _text(anomaly: anomalies_pb2.AnomalyInfo) -> str:
    return anomaly.description.strip().rstrip(".")
