"""The comparison of a day's statistics with those of the day before it."""

import math
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_metadata.proto.v0 import statistics_pb2

from semantic_id_ranking.components.day_guard.compared import Compared
from semantic_id_ranking.components.day_guard.guard_config import GuardConfig
from semantic_id_ranking.components.day_guard.summary import Feature
from semantic_id_ranking.components.day_guard.summary import features_of
from semantic_id_ranking.components.day_guard.summary import frequencies
from semantic_id_ranking.components.day_guard.summary import integer_share
from semantic_id_ranking.components.day_guard.summary import positives
from semantic_id_ranking.components.day_guard.summary import present
from semantic_id_ranking.components.day_guard.summary import same_but_times
from semantic_id_ranking.components.day_guard.summary import Statistics

# Standard errors within which a change of a label's rate is chance.
_CHANCE = 3.0
# Fewer impressions are too small a sample for shares.
_FEWEST = 50
_TYPES = {
    statistics_pb2.FeatureNameStatistics.INT: schema_pb2.INT,
    statistics_pb2.FeatureNameStatistics.FLOAT: schema_pb2.FLOAT,
    statistics_pb2.FeatureNameStatistics.STRING: schema_pb2.BYTES,
    statistics_pb2.FeatureNameStatistics.BYTES: schema_pb2.BYTES,
}
_WORDS = {schema_pb2.INT: "integers", schema_pb2.FLOAT: "floats", schema_pb2.BYTES: "texts"}


def compare(
    today: Mapping[str, Statistics],
    earlier: Mapping[str, Statistics],
    compared: Compared,
    limits: GuardConfig,
    known_items: Callable[[list[str]], set[str]],
) -> list[str]:
    """Compares a day with the one before it.

    Args:
        today: Split -> statistics of the day's impressions.
        earlier: The same of the last accepted day.
        compared: What is compared.
        limits: How far they may differ.
        known_items: Of some item ids, those that had a Semantic ID before the day.

    Returns:
        A clause for each difference that is too great: the column, what came, and what is right.
    """
    if limits.repeated and same_but_times(today, earlier, "timestamp"):
        return [
            f"the impressions are those of {compared.earlier_day} again, but for their times; give "
            "those of the day (guard.repeated)"
        ]
    complaints = list(_counts(today, earlier, compared, limits))
    for split, statistics in today.items():
        # The evaluation period of a log is of whole days: the last tenth of one has other hours.
        if compared.earlier_is_log and split == "eval":
            continue
        before = earlier["eval" if compared.earlier_is_log else split]
        rows = (s.datasets[0].num_examples for s in (statistics, before))
        if min(rows) < _FEWEST:
            continue
        # The first complaint about a column says the most.
        named = {complaint.partition(":")[0] for complaint in complaints}
        for complaint in (
            *_missing(statistics, before, compared, limits),
            *_distributions(statistics, before, compared, limits),
            *_labels(statistics, before, compared, limits),
            *_ids(statistics, before, compared, limits),
            *_items(statistics, compared, limits, known_items),
        ):
            name = complaint.partition(":")[0]
            if name not in named:
                named.add(name)
                complaints.append(complaint)
    return complaints


def _counts(
    today: Mapping[str, Statistics],
    earlier: Mapping[str, Statistics],
    compared: Compared,
    limits: GuardConfig,
) -> Iterator[str]:
    if compared.earlier_is_log or limits.impressions is None:
        return
    now, before = (
        sum(one.datasets[0].num_examples for one in day.values()) for day in (today, earlier)
    )
    low, high = before / limits.impressions, before * limits.impressions
    if not low <= now <= high:
        yield (
            f"{now:,.0f} impressions, after {before:,.0f} of {compared.earlier_day}; "
            f"{math.ceil(low):,} to {math.floor(high):,} are allowed (guard.impressions)"
        )


def _missing(
    today: Statistics, before: Statistics, compared: Compared, limits: GuardConfig
) -> Iterator[str]:
    new, old = features_of(today), features_of(before)
    names = (*compared.columns, *compared.categorical, *compared.numeric, *compared.labels)
    for name in names:
        lack_new, lack_old = (
            1 - present(features.get(name)) / statistics.datasets[0].num_examples
            for features, statistics in ((new, today), (old, before))
        )
        if abs(lack_new - lack_old) > limits.missing:
            yield (
                f"column {compared.columns.get(name, name)}: {lack_new:.1%} of the impressions "
                f"have no value, {lack_old:.1%} had none on {compared.earlier_day}; a change of "
                f"{limits.missing:.0%} at most is allowed (guard.missing)"
            )


def _distributions(
    today: Statistics, before: Statistics, compared: Compared, limits: GuardConfig
) -> Iterator[str]:
    """What TensorFlow Data Validation's drift comparators find."""
    new, old = features_of(today), features_of(before)
    schema = schema_pb2.Schema()
    for names, is_text in ((compared.categorical, True), (compared.numeric, False)):
        for name in names:
            if not present(new.get(name)) or not present(old.get(name)):
                continue
            kind, kind_before = (_TYPES[features[name].type] for features in (new, old))
            if kind != kind_before:
                yield (
                    f"column {name}: the values are {_WORDS[kind]}, those of "
                    f"{compared.earlier_day} are {_WORDS[kind_before]}; give values of that type"
                )
                continue
            feature = schema.feature.add(name=name, type=kind)
            comparator = feature.drift_comparator
            if is_text:
                comparator.infinity_norm.threshold = limits.infinity_norm
            else:
                comparator.jensen_shannon_divergence.threshold = limits.jensen_shannon
    if not schema.feature:
        return
    found = tfdv.validate_statistics(today, schema, previous_statistics=before)
    for info in found.drift_skew_info:
        name = ".".join(info.path.step)
        for measured in info.drift_measurements:
            if measured.value <= measured.threshold:
                continue
            if name in compared.categorical:
                shares = [_shares(frequencies(features[name])) for features in (new, old)]
                value = max(
                    {**shares[0], **shares[1]},
                    key=lambda v: abs(shares[0].get(v, 0) - shares[1].get(v, 0)),
                )
                yield (
                    f"column {name}: {value!r} makes up {shares[0].get(value, 0):.1%} of the "
                    f"values, {shares[1].get(value, 0):.1%} on {compared.earlier_day}; a change of "
                    f"{limits.infinity_norm:.0%} at most is allowed (guard.infinity_norm)"
                )
            else:
                yield (
                    f"column {name}: the values, {_range(new[name])}, are distributed otherwise "
                    f"than on {compared.earlier_day}, {_range(old[name])}; a Jensen-Shannon "
                    f"divergence of {limits.jensen_shannon:g} at most is allowed, not "
                    f"{measured.value:.2g} (guard.jensen_shannon)"
                )


def _labels(
    today: Statistics, before: Statistics, compared: Compared, limits: GuardConfig
) -> Iterator[str]:
    new, old = features_of(today), features_of(before)
    for name in compared.labels:
        counts = [(present(f.get(name)), positives(f.get(name))) for f in (new, old)]
        (n, k), (m, j) = counts
        if limits.label_odds is None or not n or not m:
            continue
        pooled = (k + j) / (n + m)
        independent: list[float] = [n, m]
        if 0 < k < n:
            # As if each user gave the same label always; not so where all have the same one.
            users = (_distinct(features.get("user_id")) for features in (new, old))
            independent = [min(one, of or one) for one, of in zip((n, m), users, strict=True)]
        error = math.sqrt(pooled * (1 - pooled) * sum(1 / one for one in independent))
        odds = [(c + 0.5) / (total - c + 0.5) for total, c in counts]
        factor = max(odds[0] / odds[1], odds[1] / odds[0])
        if factor > limits.label_odds and abs(k / n - j / m) > _CHANCE * error:
            low, high = (
                scaled / (1 + scaled)
                for scaled in (odds[1] / limits.label_odds, odds[1] * limits.label_odds)
            )
            yield (
                f"column {name}: {k / n:.2%} of the labels are 1, {j / m:.2%} were on "
                f"{compared.earlier_day}; {low:.2%} to {high:.2%} are allowed "
                "(guard.label_odds)"
            )


def _ids(
    today: Statistics, before: Statistics, compared: Compared, limits: GuardConfig
) -> Iterator[str]:
    new, old = features_of(today), features_of(before)
    for name, column in compared.columns.items():
        now, then = integer_share(new.get(name)), integer_share(old.get(name))
        if now is not None and then is not None and abs(now - then) > limits.integer_ids:
            example = next(iter(frequencies(new[name])))
            other = next(iter(frequencies(old[name])))
            yield (
                f"column {column}: {now:.1%} of the ids, such as {example!r}, are integers, "
                f"{then:.1%} were on {compared.earlier_day}; give ids such as {other!r} "
                "(guard.integer_ids)"
            )


def _items(
    today: Statistics,
    compared: Compared,
    limits: GuardConfig,
    known_items: Callable[[list[str]], set[str]],
) -> Iterator[str]:
    counts = frequencies(features_of(today).get("item_id"))
    known = known_items(list(counts))
    unknown = [item for item in counts if item not in known]
    share = sum(counts[item] for item in unknown) / max(sum(counts.values()), 1)
    if share > limits.unknown_items:
        yield (
            f"column {compared.columns['item_id']}: {share:.1%} of the impressions are of items, "
            f"such as {unknown[0]!r}, that have no Semantic ID before the day; at most "
            f"{limits.unknown_items:.0%} may be (guard.unknown_items)"
        )


def _distinct(feature: Feature | None) -> float:
    """About how many values a text has."""
    return float(feature.string_stats.unique) if feature is not None else 0.0


def _shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {value: count / total for value, count in counts.items()}


def _range(feature: Feature) -> str:
    numbers = feature.num_stats
    return f"{numbers.min:.4g} to {numbers.max:.4g} with a mean of {numbers.mean:.4g}"
