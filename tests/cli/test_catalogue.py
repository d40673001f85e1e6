"""The catalogue of `sid rank`, from a folder made by hand."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.cli.catalogue import Catalogue


@pytest.fixture
def load(tmp_path):
    """Loads the catalogue of a run over items a and b whose ranker reads a context."""

    def load_run(context: dict, **config) -> Catalogue:
        tables = {
            "sids/sids-0.parquet": {"item_id": ["a", "b"]},
            "state/users-0.parquet": {
                "user_id": ["u"],
                "item_id": [["b", "a"]],
                "label_click": [[0.0, 1.0]],
            },
            "state/titles/titles-0.parquet": {"item_id": ["a", "b"], "title": ["A", "B"]},
        }
        if context.get("item_age"):
            ages = {"item_id": ["a", "b"], "age_days": [2.5, 0.25]}
            tables["state/item_ages/item_ages-0.parquet"] = ages
        run = tmp_path / "run"
        for name, columns in tables.items():
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(columns), run / name)
        release = {
            "fingerprint": "f",
            "models": {},
            "semantic_ids": "sids",
            "state": "state",
            "config": {"context": context, "tasks": [{"name": "click"}], **config},
        }
        (run / "serving").mkdir()
        (run / "serving" / "release.json").write_text(json.dumps(release))
        # A folder may be moved, and its name is no pattern.
        return Catalogue.load(str(run.rename(tmp_path / "moved [1]")))

    return load_run


def test_histories_titles_and_columns(load):
    catalogue = load({"categorical": ["tab"], "numeric": ["hour"], "item_age": False})
    assert catalogue.histories == {"u": ["b", "a"]}
    assert catalogue.titles == {"a": "A", "b": "B"}
    assert catalogue.context(["tab=home", "hour=3"]) == {"tab": "home", "hour": 3.0}
    assert catalogue.task == "click"


def test_ages_are_those_of_the_candidates_and_an_unknown_item_is_new(load):
    catalogue = load({"categorical": [], "numeric": [], "item_age": True})
    context = catalogue.state_context(["b", "nobody", "a"], "u")
    assert context == {"item_age_days": [0.25, 0.0, 2.5]}


# A release of before there was such an option has no word of it.
@pytest.mark.parametrize("option", [{"item_age": False}, {}])
def test_a_ranker_that_reads_no_age_is_sent_none(load, option):
    catalogue = load({"categorical": [], "numeric": [], **option})
    assert catalogue.state_context(["a"], "u") == {}


@pytest.mark.parametrize(
    ("history", "labels"), [({"events": "all"}, {"click": {"u": [0, 1]}}), ({"length": 9}, {})]
)
def test_labels_are_read_of_a_history_of_all_impressions(load, history, labels):
    catalogue = load({"categorical": [], "numeric": []}, history=history)
    assert catalogue.history_labels == labels
