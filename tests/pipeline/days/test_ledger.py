"""The ledger of days."""

import json

import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.days.backfill import day_names
from semantic_id_ranking.pipeline.days.ledger import ARTIFACTS
from semantic_id_ranking.pipeline.days.ledger import begin_ledger
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import digest_of
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.ledger import needed_artifacts
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord

DAY = 86_400_000_000
HOUR = DAY // 24
SPACE = SpaceRecord(items_digest="items", rqvae={"levels": 3})


def record(number: int, version: int | None = None, **fields) -> DayRecord:
    return DayRecord(
        number=number,
        start=f"2024-03-{number - 19782:02d}T00:00:00+00:00",  # Day 19783 is 2024-03-01.
        digest=str(number),
        run_id=str(number),
        ranker_version=version,
        artifacts={name: f"artifacts/{name}/{number}" for name in ARTIFACTS},
        **fields,
    )


def ranker(number: int) -> str:
    return f"artifacts/ranker/{number}/Format-Serving"


@pytest.fixture
def ledger() -> Ledger:
    log = record(19783, 100, untrained=["eval"])
    days = [record(19784, 101), record(19785), record(19786, 103)]
    return Ledger(day_microseconds=DAY, space=SPACE, days=[log, *days])


def test_it_is_read_as_it_was_written(ledger, tmp_path):
    ledger.write(str(tmp_path))
    assert Ledger.open(str(tmp_path)) == ledger


def test_an_output_without_one_says_what_to_run(tmp_path):
    with pytest.raises(InputError, match="run the log before it with `sid run` first"):
        Ledger.open(str(tmp_path))


@pytest.mark.parametrize(
    ("rankers", "number"),
    [
        ([ranker(19786), ranker(19784)], 19786),
        # After a rollback.
        ([ranker(19784), ranker(19783)], 19784),
        # The served one is of a day that was killed before it was written down.
        ([ranker(19787), ranker(19784)], 19784),
        # A number that another begins with.
        ([ranker(197), ranker(19783)], 19783),
        # None of the released ones is known any more.
        ([], 19786),
    ],
)
def test_the_served_record_is_that_of_the_newest_known_release(ledger, rankers, number):
    assert ledger.served(rankers).number == number


def test_a_day_that_was_not_released_is_never_the_served_one(ledger):
    assert ledger.before(19786).served([]).number == 19784


def test_what_the_served_ranker_has_not_seen(ledger):
    log, first, second, third = ledger.days
    whole = ("train", "eval")
    assert ledger.untrained_since(third) == []
    assert ledger.untrained_since(first) == [(second, whole), (third, whole)]
    assert ledger.untrained_since(log)[:2] == [(log, ("eval",)), (first, whole)]


def test_days_after_one_done_again_are_pending_until_they_are_repeated(ledger):
    log, first, second, third = ledger.days
    before = ledger.before(19784)
    assert (before.days, before.pending) == ([log], [second, third])
    again = before.plus(first)
    assert (again.days, again.pending) == ([log, first], [second, third])
    again = again.plus(second)
    assert (again.days, again.pending) == ([log, first, second], [third])


def test_the_days_after_the_same_log_stay(ledger, tmp_path):
    output = str(tmp_path)
    ledger.write(output)
    begin_ledger(output, Ledger(day_microseconds=DAY, space=SPACE, days=ledger.days[:1]))
    assert Ledger.open(output) == ledger
    other = Ledger(day_microseconds=DAY, space=SPACE, days=[record(19790, 200)])
    begin_ledger(output, other)
    assert Ledger.open(output) == other


def test_what_the_next_day_reads_is_needed(ledger, tmp_path):
    assert needed_artifacts(str(tmp_path), [], 14) == set()
    ledger.write(str(tmp_path))
    needed = needed_artifacts(str(tmp_path), [ranker(19784)], 14)
    expected = {f"artifacts/{name}/{number}" for name in ARTIFACTS for number in (19784, 19786)}
    assert needed == expected | {"artifacts/examples/19785"}
    # The state that a refresh replays two days from.
    with_state = needed_artifacts(str(tmp_path), [ranker(19784)], 2)
    assert with_state == needed
    assert needed_artifacts(str(tmp_path), [ranker(19786)], 1) == {
        *(f"artifacts/{name}/19786" for name in ARTIFACTS),
        "artifacts/state/19785",
    }


def test_what_a_day_after_a_rollback_reads_is_needed(refreshed, tmp_path):
    refreshed.write(str(tmp_path))
    rankers = [ranker(19787), refreshed.days[4].artifacts["ranker"] + "/x", ranker(19786)]
    needed = needed_artifacts(str(tmp_path), rankers, 14)
    for day in (refreshed.days[3], refreshed.days[4], refreshed.days[5]):
        assert needed >= set(day.artifacts.values())
    assert refreshed.days[2].artifacts["ranker"] not in needed


@pytest.fixture
def refreshed(ledger) -> Ledger:
    """Three days, a refresh after them, and one more day."""
    refresh = record(19786, 104, refresh=True)
    own = {name: f"artifacts/{name}/refresh" for name in ARTIFACTS}
    refresh = refresh.model_copy(update={"artifacts": own})
    return ledger.plus(refresh).plus(record(19787, 105))


def test_a_rollback_beyond_a_refresh_undoes_it(refreshed):
    third, refresh, fourth = refreshed.days[3:]
    assert refreshed.followed([ranker(19787)]) == refreshed
    assert refreshed.followed([refresh.artifacts["ranker"] + "/x"]) == refreshed
    for number in (19786, 19784):
        undone = refreshed.followed([ranker(number)])
        assert undone.days == refreshed.days[:4]
        assert undone.pending == [fourth]
    assert undone.last == third
    assert [day for day, _ in undone.untrained_since(undone.served([ranker(19784)]))] == (
        refreshed.days[2:4]
    )


def test_a_day_done_again_undoes_a_refresh_after_it(refreshed):
    log, first, second, third, _, fourth = refreshed.days
    before = refreshed.before(19785)
    assert (before.days, before.pending) == ([log, first], [third, fourth])
    before = refreshed.before(19786)
    assert (before.days, before.pending) == ([log, first, second], [fourth])
    # The refresh is before that day.
    before = refreshed.before(19787)
    assert (before.days, before.pending) == (refreshed.days[:5], [])


def test_a_digest_is_of_the_content_whatever_the_paths_are():
    def recorded(*files):
        return {"files": [{"path": path, "blake2": digest} for path, digest in files]}

    digest = digest_of(recorded(("a", "1"), ("b", "2")))
    assert digest == digest_of(recorded(("y/b", "2"), ("x/a", "1")))
    assert digest != digest_of(recorded(("a", "1"), ("b", "3")))
    assert digest != digest_of(recorded(("a", "1")))


def test_a_damaged_ledger_is_named(ledger, tmp_path):
    content = ledger.to_json()
    content["days"][1]["number"] = "soon"
    (tmp_path / "days.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"days\.json: is damaged \(days\.1\.number"):
        Ledger.open(str(tmp_path))


def test_days_are_named_by_their_first_instant(ledger):
    names = ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert day_names(ledger, "2024-02-28", "2024-03-01") == names
    hours = ledger.model_copy(update={"day_microseconds": 6 * HOUR})
    assert day_names(hours, "2024-03-01T18:00", "2024-03-02") == ["2024-03-01T18:00", "2024-03-02"]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("soon", "2024-03-01", "--from soon: is not a day; write it as 2024-01-31"),
        ("2024-03-02", "2024-03-01", "--to 2024-03-01: is before --from 2024-03-02"),
        ("2024-03-01T07:00", "2024-03-02", "no day begins there; .* at 2024-03-01T00:00"),
    ],
)
def test_an_interval_that_is_none_is_refused(ledger, first, last, message):
    with pytest.raises(InputError, match=message):
        day_names(ledger, first, last)


def test_a_refresh_is_no_day(ledger):
    refreshed = ledger.plus(record(19786, 104, refresh=True, untrained=["eval"]))
    assert refreshed.last.refresh
    assert refreshed.find(19786).ranker_version == 103
    assert refreshed.untrained_since(refreshed.last) == [(refreshed.last, ("eval",))]
    following = refreshed.plus(record(19787, 105))
    days, before = following.replayed(2)
    assert [day.ranker_version for day in days] == [103, 105]
    assert before.number == 19785
    assert following.replayed(5) == ([*ledger.days, following.last], None)
    assert following.replayed(9) == following.replayed(5)
