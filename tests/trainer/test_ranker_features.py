import itertools

import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.features import item_parsing_spec
from semantic_id_ranking.trainer.ranker.features import item_tensor_specs
from semantic_id_ranking.trainer.ranker.features import label_parsing_spec
from semantic_id_ranking.trainer.ranker.features import read_examples
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from tests.trainer import ranker_cases as cases

NO_HISTORY = {"history_item_id": [], "history_sid": []}


def parse(fields, *examples):
    return tf.io.parse_example(tf.constant(examples), item_parsing_spec(fields, cases.SPACE))


def test_sids_are_padded_to_the_longest_history():
    features = parse(("sid",), cases.joined_example(), cases.joined_example(**NO_HISTORY))
    assert set(features) == {"candidate_sid", "current_sid", "history_sid"}
    assert features["candidate_sid"].numpy().tolist() == [[0, 1], [0, 1]]
    assert features["current_sid"].numpy().tolist() == [[2, 3], [2, 3]]
    assert features["history_sid"].numpy().tolist() == [[[1, 1], [3, 0]], [[-1, -1], [-1, -1]]]


def test_item_ids_are_padded_to_the_longest_history():
    features = parse(("item_id",), cases.joined_example(), cases.joined_example(**NO_HISTORY))
    assert set(features) == {"candidate_item_id", "current_item_id", "history_item_id"}
    assert features["candidate_item_id"].numpy().tolist() == [b"i01", b"i01"]
    assert features["history_item_id"].numpy().tolist() == [[b"i11", b"i30"], [b"", b""]]


def test_without_any_history_the_axis_is_empty():
    features = parse(("sid", "item_id"), cases.joined_example(**NO_HISTORY))
    assert features["history_sid"].shape == (1, 0, cases.LEVELS)
    assert features["history_item_id"].shape == (1, 0)


def test_a_current_item_may_be_missing_but_not_a_candidate():
    features = parse(
        ("sid", "item_id"), cases.joined_example(without=("current_sid", "current_item_id"))
    )
    assert features["current_sid"].numpy().tolist() == [[-1, -1]]
    assert features["current_item_id"].numpy().tolist() == [b""]
    with pytest.raises(tf.errors.InvalidArgumentError, match="candidate_sid"):
        parse(("sid",), cases.joined_example(without=("candidate_sid",)))


def test_embeddings_are_padded_with_zeros():
    one, two = ([float(i)] * 16 for i in (1, 2))
    features = parse(
        ("embedding",),
        cases.joined_example(without=("current_embedding",), history_embedding=one + two),
        cases.joined_example(history_embedding=[]),
    )
    assert features["candidate_embedding"].shape == (2, 16)
    assert features["current_embedding"].numpy()[0].tolist() == [0.0] * 16
    assert features["history_embedding"].numpy().tolist() == [[one, two], [[0.0] * 16] * 2]


def test_a_request_names_the_same_features():
    for fields in (("embedding",), ("item_id",), ("sid",), ("sid", "item_id")):
        specs = item_tensor_specs(fields, cases.SPACE)
        assert set(specs) == set(item_parsing_spec(fields, cases.SPACE))
    assert specs["candidate_sid"].shape.as_list() == [None, 2]
    assert specs["current_sid"].shape.as_list() == [1, 2]
    assert specs["history_sid"].shape.as_list() == [1, None, 2]
    assert specs["history_item_id"].shape.as_list() == [1, None]
    specs = item_tensor_specs(("embedding",), cases.SPACE)
    assert specs["candidate_embedding"].shape.as_list() == [None, 16]
    assert specs["history_embedding"].shape.as_list() == [1, None, 16]
    assert specs["history_embedding"].dtype == tf.float32


@pytest.fixture
def numbered(tmp_path):
    """Two files of examples labelled 0 .. 29."""
    for name, numbers in (("a", range(20)), ("b", range(20, 30))):
        examples = [cases.joined_example(label_click=[float(i)]) for i in numbers]
        cases.write_examples(str(tmp_path / f"{name}.gz"), examples)
    return [str(tmp_path / "*.gz")]


def labels(patterns, **options):
    """Labels of one pass, batch by batch."""
    dataset = read_examples(patterns, label_parsing_spec([cases.CLICK]), 7, **options)
    return lambda: [batch["label_click"].numpy().tolist() for batch in dataset]


def test_reading_keeps_every_example(numbered):
    batches = labels(numbered)()
    assert [len(batch) for batch in batches] == [7, 7, 7, 7, 2]
    assert sorted(itertools.chain(*batches)) == list(range(30))
    assert batches == labels(numbered)()


def test_shuffling_follows_the_seed_and_differs_by_pass(numbered):
    first, second = labels(numbered, shuffle_seed=1), labels(numbered, shuffle_seed=1)
    pass_1, pass_2 = first(), first()
    assert pass_1 != pass_2
    assert sorted(itertools.chain(*pass_1)) == sorted(itertools.chain(*pass_2)) == list(range(30))
    assert [second(), second()] == [pass_1, pass_2]
    assert labels(numbered, shuffle_seed=2)() != pass_1


def test_the_transform_is_applied_to_batches(numbered):
    batches = labels(numbered, transform=lambda raw: {"label_click": raw["label_click"] + 100})()
    assert sorted(itertools.chain(*batches)) == list(range(100, 130))


def test_a_pattern_without_files_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_examples([str(tmp_path / "nothing*")], {}, 1)


def test_moments_of_regression_labels():
    tasks = [cases.CLICK, cases.WATCH, TaskConfig("flat", "flat", "regression")]
    batches = {
        "label_click": [0.0, 1, 0, 1, 1],
        "label_watch": [0.0, 0, 0, 10, 10],
        "label_flat": [7.0, 7, 7, 7, 7],
    }
    dataset = tf.data.Dataset.from_tensor_slices(batches).batch(2)
    moments = LabelMoments.measure(dataset, tasks)
    assert set(moments) == {"watch", "flat"}
    assert moments["watch"].mean == pytest.approx(4)
    assert moments["watch"].std == pytest.approx(24**0.5)  # (3 * 16 + 2 * 36) / 5
    assert moments["flat"] == LabelMoments(7.0, 1.0)


def test_binary_tasks_need_no_pass_over_the_data():
    assert LabelMoments.measure(None, [cases.CLICK]) == {}
