import datetime
import importlib.resources
import json
from pathlib import Path

import pytest

from semantic_id_ranking.pipeline import config as config_lib
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.pipeline.load_config import load_config

SHIPPED = sorted(Path(importlib.resources.files("semantic_id_ranking") / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path):
    assert load_config(str(path)).tasks


def test_there_are_shipped_configurations():
    assert {path.stem for path in SHIPPED} >= {"movielens", "kuairand"}


def test_without_a_file_the_one_task_is_click():
    config = load_config()
    assert [(t.name, t.label, t.type) for t in config.tasks] == [("click", "click", "binary")]


def test_overrides_win_over_the_file_and_are_yaml(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("ranker: {epochs: 3, bottom_widths: [8]}\n")
    config = load_config(
        str(path), ["ranker.epochs=5", "split.evaluation_start=2020-01-02T00:00:00Z"]
    )
    assert config.ranker.epochs == 5
    assert config.ranker.bottom_widths == (8,)
    assert config.split.evaluation_start == datetime.datetime(
        2020, 1, 2, tzinfo=datetime.timezone.utc
    )


def test_a_task_survives_the_way_through_json():
    (task,) = load_config(
        overrides=["tasks=[{name: a, positive_weight: balanced, train_negative_rate: 0.5}]"]
    ).tasks
    assert type(task)(**json.loads(json.dumps(config_lib.to_dict(task)))) == task


def test_a_column_named_as_the_item_age_is_free_where_the_age_is_not_read():
    assert load_config(overrides=["context.numeric=[item_age_days]"]).context.numeric


def test_parts_survive_the_way_through_json():
    config = load_config(overrides=["ranker.bottom_widths=[8, 4]"])
    as_dict = config_lib.to_dict(config.ranker)
    assert as_dict["bottom_widths"] == [8, 4]
    assert type(config.ranker)(**as_dict) == config.ranker


@pytest.mark.parametrize(
    ("override", "facts"),
    [
        ("ranker.epoch=3", ["ranker.epoch", "unknown key", "did you mean epochs"]),
        ("rankr.epochs=3", ["rankr", "unknown key", "did you mean ranker"]),
        ("ranker.epochs=0", ["ranker.epochs", "0 is not allowed", "greater than or equal to 1"]),
        ("ranker.epochs=many", ["ranker.epochs", "'many'", "integer"]),
        ("ranker=3", ["ranker", "3 is not allowed"]),
        ("ranker.epochs.more=3", ["ranker.epochs"]),
        ("tasks=[{name: a, type: ternary}]", ["tasks.0.type", "'ternary'", "'binary'"]),
        ("tasks=[{name: a, lable: b}]", ["tasks.0.lable", "did you mean label"]),
        ("tasks=[]", ["tasks", "is empty"]),
        ("tasks=[{name: a}, {name: a}]", ["tasks.1.name", "'a' appears twice"]),
        ("tasks=[{name: a b}]", ["tasks.0.name", "'a b'"]),
        ("history.positive=like", ["history.positive", "'like'", "['click']"]),
        ("thresholds=[{task: like}]", ["thresholds.0.task", "'like'", "['click']"]),
        ("thresholds=[{task: click, slice: old}]", ["thresholds.0.slice", "'old'", "'unseen'"]),
        ("representation.rows=100", ["representation.rows", "100", "1025"]),
        ("representation.name=magic", ["representation.name", "'magic'", "'sid_spm'"]),
        ("representation.tau=5", ["representation.tau", "5", "sid_spm", "sid_hybrid"]),
        ("rqvae.codebook_size=60000", ["rqvae", "240000", "65534"]),
        ("slices.head_share=0.9", ["slices", "add up"]),
        ("split.evaluation_fraction=1", ["split.evaluation_fraction", "less than 1"]),
        ("context={numeric: [a], categorical: [a]}", ["context", "'a' is both"]),
        (
            "context={numeric: [item_age_days], item_age: true}",
            ["context", "'item_age_days'", "item_age"],
        ),
        (
            "tasks=[{name: a, positive_weight: balancd}]",
            ["tasks.0.positive_weight: 'balancd'", "a number above 0, or balanced"],
        ),
        (
            "tasks=[{name: a, type: regression, train_negative_rate: 0.5}]",
            ["tasks.0.train_negative_rate: 0.5", "regression"],
        ),
        ("ranker={bottom: mmoe, bottom_widths: []}", ["ranker.bottom_widths: []", "one layer"]),
        ("nonsense", ["--set nonsense", "key=value"]),
        ("ranker.epochs={", ["--set ranker.epochs={", "not valid YAML"]),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_what_would_be_right(override, facts):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[override])
    for fact in facts:
        assert fact in str(caught.value)


def test_an_error_names_the_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("rqvae: {levels: 99}\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: rqvae\.levels: 99"):
        load_config(str(path))


@pytest.mark.parametrize(
    ("content", "fact"), [("- a\n", "holds a list"), ("a: [", "not valid YAML")]
)
def test_a_file_that_is_no_mapping(tmp_path, content, fact):
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=fact):
        load_config(str(path))


def test_no_such_file():
    with pytest.raises(ConfigError, match=r"missing\.yaml: cannot be read"):
        load_config("missing.yaml")
