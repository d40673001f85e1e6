"""Relaxation of an inferred schema for the data of later days."""

from collections.abc import Collection

from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_metadata.proto.v0 import statistics_pb2

# Of the values, those that must be known; of the presence in the training split, what must remain.
_SHARE = 0.9


def relax(
    schema: schema_pb2.Schema,
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    required: Collection[str],
    categorical: Collection[str],
    optional: Collection[str] = (),
) -> schema_pb2.Schema:
    """Relaxes an inferred schema, so that later days may differ from it.

    Args:
        schema: As TensorFlow Data Validation infers it.
        statistics: What it was inferred from.
        required: Features that stay present in every Example, with the number of values they have.
        categorical: Features whose values, but for a tenth, stay among those seen. One with more
            categories than the statistics list (1,000) is left open.
        optional: Features that any number of Examples may lack, all that train included.

    Returns:
        A schema in which no other feature has a domain: neither one of strings nor one that was
        guessed because all values happened to be digits, 0 and 1, or "true" and "false". Features
        neither required nor optional may be missing a tenth more often than in the statistics.
    """
    relaxed = schema_pb2.Schema()
    relaxed.CopyFrom(schema)
    del relaxed.string_domain[:]
    for feature in relaxed.feature:
        kind = feature.WhichOneof("domain_info")
        if kind is not None:
            feature.ClearField(kind)
        if feature.name in categorical:
            values = _categories(feature.name, statistics)
            feature.string_domain.value.extend(values)
            if values:
                feature.distribution_constraints.min_domain_mass = _SHARE
            else:
                feature.ClearField("string_domain")
        if feature.name not in required:
            shape = feature.WhichOneof("shape_type")
            if shape is not None:
                feature.ClearField(shape)
            share = 0.0 if feature.name in optional else _presence(feature.name, statistics)
            feature.presence.min_fraction = _SHARE * share
            feature.presence.min_count = 0
    _leave_open(relaxed, {name for name in optional if not _presence(name, statistics)})
    return relaxed


def _leave_open(schema: schema_pb2.Schema, names: Collection[str]) -> None:
    """Removes the constraints of features: not even the type of one without a value is known."""
    kept = [feature for feature in schema.feature if feature.name not in names]
    del schema.feature[:]
    schema.feature.extend(kept)
    for name in sorted(names):
        schema.feature.add(name=name, lifecycle_stage=schema_pb2.DISABLED)


def _feature(
    name: str, statistics: statistics_pb2.DatasetFeatureStatisticsList
) -> statistics_pb2.FeatureNameStatistics | None:
    features = statistics.datasets[0].features
    return next((f for f in features if name in (f.name, *f.path.step)), None)


def _categories(name: str, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> list[str]:
    feature = _feature(name, statistics)
    if feature is None:
        return []
    strings = feature.string_stats
    values = sorted(bucket.label for bucket in strings.rank_histogram.buckets)
    return values if len(values) == strings.unique else []


def _presence(name: str, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> float:
    common = _feature(name, statistics)
    if common is None:
        return 0.0
    common = getattr(common, common.WhichOneof("stats")).common_stats
    total = common.num_non_missing + common.num_missing
    return common.num_non_missing / total if total else 0.0
