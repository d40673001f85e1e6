"""Training that goes on from the state of an earlier one."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.errors import DamagedModelError
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.model_variables import ModelVariables
from semantic_id_ranking.trainer.ranker.ranker_state import RankerState
from semantic_id_ranking.trainer.ranker.ranker_state import TrainingDescription
from semantic_id_ranking.trainer.ranker.ranker_state import write_ranker_state
from semantic_id_ranking.trainer.ranker.representations import parse_representation
from semantic_id_ranking.trainer.ranker.train import train
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from tests.trainer import ranker_cases
from tests.trainer import representation_cases as cases

CONFIG = dataclasses.replace(ranker_cases.SMALL, batch_size=16, learning_rate=0.01)
TASK = TaskConfig("click", "clicked")
TAB = "context_tab"
FIRST = np.array([b"home", b"search"], object)
GROWN = np.array([b"home", b"search", b"cart", b"zoom"], object)
ROWS = {
    "random_hash": 60,
    "individual_id": 60,
    "dense": 60,
    "dense_projected": 60,
    "sid_ngram": 10,
    "sid_prefix": 100,
    "sid_spm": 60,
    "id_plus_sid": 60,
    # That of absent items, 3 x 8 codes, 7 frequencies and 40 items.
    "sid_hybrid": 72,
}


@pytest.fixture(scope="module")
def resources():
    return cases.make_resources()


def added_items(count, first=0):
    """New items new0, new1, ... with Semantic IDs of their own, and 3 impressions each."""
    numbers = np.arange(first, first + count)
    # The Semantic IDs that no item of the resources has are made by a level that all share.
    sids = np.stack([numbers % 8, (numbers + 5) % 8, np.full(count, 7)], axis=1).astype(np.int32)
    return ImpressedItems(np.array([b"new%d" % n for n in numbers]), sids, np.full(count, 3))


def batches(resources, examples, seed, categories=FIRST):
    """Impressions of known and of added items, in a known order."""
    new = added_items(5)
    ids = np.concatenate([resources.items.item_ids.astype("S8"), new.item_ids.astype("S8")])
    sids = np.concatenate([resources.items.sids, new.sids]).astype(np.int64)
    rng = np.random.default_rng(seed)
    embeddings = np.random.default_rng(0).normal(size=(len(ids), cases.EMBEDDING))
    features = {}
    for role, shape in (("candidate", ()), ("current", ()), ("history", (3,))):
        chosen = rng.integers(0, len(ids), (examples, *shape))
        features[f"{role}_item_id"] = ids[chosen].astype(object)
        features[f"{role}_sid"] = sids[chosen]
        features[f"{role}_embedding"] = embeddings[chosen].astype(np.float32)
    words = rng.choice(np.array([b"home", b"search", b"cart", b"other"], object), examples)
    known = {word: row for row, word in enumerate(categories)}
    features[TAB] = np.array([known.get(word, len(categories)) for word in words])
    features["history_length"] = rng.normal(size=examples).astype(np.float32)
    features["label_click"] = (features["candidate_sid"][:, 0] % 2).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(features).batch(CONFIG.batch_size)


def trained(resources, fields, data, categories=FIRST, config=CONFIG, warm_start=None):
    layer = parse_representation(fields).create(config.embedding_dim, resources)
    context = ContextSpec({TAB: len(categories) + 1})
    return train(data, layer, context, (TASK,), config, {}, warm_start=warm_start).model


def predictions(model, data):
    return np.concatenate([model(batch)["click"].numpy() for batch in data])


def write(directory, model, fields, categories=FIRST, added=None, **changes):
    description = TrainingDescription(
        **{
            "fingerprint": cases.SPACE.fingerprint,
            "representation": fields,
            "tasks": [dataclasses.asdict(TASK)],
            "moments": {"watch": LabelMoments(2.0, 3.0)},
            "days": [1, 2],
            "metrics": {"loss": 0.5},
            **changes,
        }
    )
    write_ranker_state(str(directory), description, model, {TAB: categories}, added)
    return RankerState(str(directory))


@pytest.mark.parametrize(
    ("name", "separate"), [*((name, False) for name in ROWS), ("sid_hybrid", True)]
)
def test_a_warm_training_begins_where_the_previous_one_ended(name, separate, resources, tmp_path):
    fields = {"name": name, "rows": ROWS[name], "separate_tables": separate}
    first = trained(resources, fields, batches(resources, 100, seed=1))
    expected = predictions(first, batches(resources, 60, seed=2))
    state = write(tmp_path / "state", first, fields)
    before = ModelVariables(first, {TAB: FIRST})
    data = batches(resources, 60, seed=2, categories=GROWN)
    found = []

    def start(model):
        state.restore(model, {TAB: GROWN})
        found.append(predictions(model, data))
        variables = ModelVariables(model, {TAB: GROWN})
        for name in before.weights.keys() - before.tables.keys():
            np.testing.assert_array_equal(variables.weights[name], before.weights[name])
            slots = [slot for slot in before.slots if slot.rpartition("/")[0] == name]
            for slot in slots:
                np.testing.assert_array_equal(variables.slots[slot], before.slots[slot])
        # The rows of new categories are copies of that of all others, their sums of squares too.
        for kind, after in ((before.weights, variables.weights), (before.slots, variables.slots)):
            for table in (one for one in kind if one.startswith("context/")):
                rows = kind[table].numpy()[[0, 1, 2, 2, 2]]
                np.testing.assert_array_equal(after[table], rows)
        assert {name: int(one) for name, one in variables.counters.items()} == {
            "dense/iterations": 7,
            "tables/iterations": 7,
        }

    grown = dataclasses.replace(resources, added=added_items(5))
    second = trained(grown, fields, data, GROWN, warm_start=start)
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-6)
    assert np.abs(predictions(second, data) - expected).max() > 1e-3


def test_new_rows_of_items_learn_and_are_kept(resources, tmp_path):
    fields = {"name": "sid_hybrid", "rows": ROWS["sid_hybrid"]}
    first = trained(resources, fields, batches(resources, 100, seed=1))
    (known,) = first.representation.row_keys()[1]
    left = 40 - len(known.keys)
    assert 0 < left < 5
    state = write(tmp_path / "one", first, fields)
    grown = dataclasses.replace(resources, added=added_items(5))
    second = trained(
        grown,
        fields,
        batches(resources, 100, seed=3),
        warm_start=lambda model: state.restore(model, {TAB: FIRST}),
    )
    (section,) = second.representation.row_keys()[1]
    assert len(section.keys) == 40
    np.testing.assert_array_equal(section.keys[:-left], known.keys)
    rows = second.representation.tables[1].numpy()[-left:]
    assert np.abs(rows).min() > 0
    # On the next day, more items: those that have a row keep it.
    state = write(tmp_path / "two", second, fields, added=grown.added)
    assert state.added.item_ids.tolist() == added_items(5).item_ids.tolist()
    np.testing.assert_array_equal(state.added.sids, added_items(5).sids)
    more = dataclasses.replace(resources, added=state.added.followed_by(added_items(3, first=5)))
    third = parse_representation(fields).create(CONFIG.embedding_dim, more)
    third(cases.some_items(resources, 7))
    np.testing.assert_array_equal(third.row_keys()[1][0].keys, section.keys)


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"name": "sid_hybrid", "rows": 72}, {"weight_decay": 0.1}),
        (
            {"name": "sid_spm", "rows": 60},
            {"table_optimizer": "adam", "precision": "mixed_float16"},
        ),
    ],
    ids=["adagrad", "adam, loss scaling"],
)
def test_two_trainings_equal_one_over_both_days(fields, changes, resources, tmp_path):
    config = dataclasses.replace(CONFIG, **changes)
    one, two = batches(resources, 48, seed=1), batches(resources, 48, seed=2)
    whole = trained(resources, fields, one.concatenate(two), config=config)
    state = write(tmp_path / "one", trained(resources, fields, one, config=config), fields)
    for name in ("first", "again"):
        warm = trained(
            resources,
            fields,
            two,
            config=config,
            warm_start=lambda model: state.restore(model, {TAB: FIRST}),
        )
        write(tmp_path / name, warm, fields)
    write(tmp_path / "whole", whole, fields)
    # To the bit: weights, slots, steps and scales of the loss.
    written = [
        (tmp_path / name / "variables.data-00000-of-00001").read_bytes()
        for name in ("whole", "first", "again")
    ]
    assert written[0] == written[1] == written[2]
    digests = [tmp_path / name / "assets.extra" / "SHA256SUMS" for name in ("first", "again")]
    assert digests[0].read_bytes() == digests[1].read_bytes()


@pytest.fixture(scope="module")
def spm_state(resources, tmp_path_factory):
    fields = {"name": "sid_spm", "rows": 60}
    folder = tmp_path_factory.mktemp("state")
    model = trained(resources, fields, batches(resources, 16, seed=1))
    return folder, write(folder, model, fields), fields


def test_a_state_says_what_it_is_the_state_of(spm_state):
    _, state, fields = spm_state
    assert state.description == TrainingDescription(
        cases.SPACE.fingerprint,
        fields,
        [dataclasses.asdict(TASK)],
        {"watch": LabelMoments(2.0, 3.0)},
        [1, 2],
        {"loss": 0.5},
    )
    assert state.added is None
    (pieces,) = state.row_keys("item/table")
    assert (pieces.kind, len(pieces.keys)) == ("piece", len(set(pieces.keys.tolist())))


def test_a_state_of_something_else_is_refused(spm_state, resources):
    _, state, fields = spm_state
    tasks = [dataclasses.asdict(TASK)]
    state.require_same(cases.SPACE.fingerprint, fields, tasks)
    with pytest.raises(SidSpaceMismatchError, match=r"0123456789abcdef.*feed"):
        state.require_same("feed", fields, tasks)
    with pytest.raises(InputError, match=r"representation: .*61.*60"):
        state.require_same(cases.SPACE.fingerprint, {**fields, "rows": 61}, tasks)
    with pytest.raises(InputError, match="tasks: "):
        state.require_same(cases.SPACE.fingerprint, fields, [])
    for changes, message in (
        ({"head_widths": (5,)}, r"network/_heads/\S+ has shape \[4\], and this one's \[5\]"),
        ({"cross_layers": 2}, "no variable network/"),
    ):
        with pytest.raises(InputError, match=message):
            trained(
                resources,
                fields,
                batches(resources, 16, seed=1),
                config=dataclasses.replace(CONFIG, **changes),
                warm_start=lambda model: state.restore(model, {TAB: FIRST}),
            )


def test_a_damaged_state_is_refused(spm_state, tmp_path):
    damaged = tmp_path / "state"
    shutil.copytree(spm_state[0], damaged)
    with open(damaged / "state.json", "a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(DamagedModelError, match=r"state\.json"):
        RankerState(str(damaged))
