"""Statistics of TensorFlow Data Validation, and numbers read from them."""

from collections.abc import Mapping
from typing import TypeAlias

from tensorflow_metadata.proto.v0 import statistics_pb2

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
Feature: TypeAlias = statistics_pb2.FeatureNameStatistics

#: So many values of a feature the statistics count exactly, at most.
_COUNTED = 10_000


def features_of(statistics: Statistics) -> dict[str, Feature]:
    """The statistics of each feature, by its name."""
    return {
        feature.name or ".".join(feature.path.step): feature
        for feature in statistics.datasets[0].features
    }


def present(feature: Feature | None) -> int:
    """The number of Examples that have the feature."""
    if feature is None or feature.WhichOneof("stats") is None:
        return 0
    return int(getattr(feature, feature.WhichOneof("stats")).common_stats.num_non_missing)


def frequencies(feature: Feature | None) -> dict[str, float]:
    """How often each of the most frequent values of a feature of strings is there."""
    if feature is None:
        return {}
    return {
        bucket.label: bucket.sample_count for bucket in feature.string_stats.rank_histogram.buckets
    }


def positives(feature: Feature | None) -> float:
    """The sum of a feature of 0 and 1."""
    return 0.0 if feature is None else feature.num_stats.mean * present(feature)


def integer_share(feature: Feature | None) -> float | None:
    """The share of the most frequent ids that are written as integers; None where there is none."""
    ids = list(frequencies(feature))
    return sum(i.isdecimal() for i in ids) / len(ids) if ids else None


def same_but_times(
    today: Mapping[str, Statistics], earlier: Mapping[str, Statistics], time: str
) -> bool:
    """Whether two data sets have the same statistics, by split, of everything but the times."""
    if today.keys() != earlier.keys() or not _rows(today):
        return False
    return all(_same(today[split], earlier[split], time) for split in today)


def _rows(statistics: Mapping[str, Statistics]) -> int:
    return sum(one.datasets[0].num_examples for one in statistics.values())


def _same(left: Statistics, right: Statistics, time: str) -> bool:
    if left.datasets[0].num_examples != right.datasets[0].num_examples:
        return False
    one, other = features_of(left), features_of(right)
    return one.keys() == other.keys() and all(
        _key(one[name]) == _key(other[name]) for name in one if name != time
    )


def _key(feature: Feature) -> tuple:
    # Neither sums of floats nor what a sketch estimates may depend on the order of the rows.
    numbers, texts = feature.num_stats, feature.string_stats
    listed = frequencies(feature) if texts.unique <= _COUNTED else {}
    # Of equally frequent ones, any may be the last that is listed.
    least = min(listed.values(), default=0) if len(listed) < texts.unique else 0
    return (
        present(feature),
        f"{numbers.mean:.6g}",
        numbers.min,
        numbers.max,
        numbers.num_zeros,
        texts.unique,
        sorted((value, n) for value, n in listed.items() if n > least),
    )
