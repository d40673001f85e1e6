"""A ranker's state carried into a refreshed SID space, against NumPy."""

import dataclasses

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.carry_state import carry_state
from semantic_id_ranking.trainer.ranker.model_variables import ModelVariables
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.trainer import representation_cases as cases
from tests.trainer import test_ranker_warm_start as warm
from tests.trainer.test_ranker_warm_start import CONFIG
from tests.trainer.test_ranker_warm_start import FIRST
from tests.trainer.test_ranker_warm_start import ROWS
from tests.trainer.test_ranker_warm_start import TAB

REFRESHED = dataclasses.replace(cases.SPACE, fingerprint="fedcba9876543210")
# In another order, and with one that is new.
LATER = np.array([b"search", b"cart", b"home"], object)


@pytest.fixture(scope="module")
def old():
    return cases.make_resources()


@pytest.fixture(scope="module")
def new(old):
    """A tokenizer of another log, whose pieces are others in another order."""
    rng = np.random.default_rng(5)
    order = rng.permutation(40)
    # Frequent are now the items that were rare.
    counts = (np.argsort(np.argsort(old.items.impressions))[::-1] + 1)[order] ** 2
    items = old.items
    return SidTokenizer.fit(
        items.sids[order], counts, REFRESHED, 60, items.item_ids[order], old.codebooks
    )


def carried(state, old, new, fields, data, categories, config=CONFIG):
    """The ranker before its first step of training, with copies of its variables."""
    found = []

    def start(model):
        carry_state(state, model, {TAB: categories}, old, new)
        variables = ModelVariables(model, {TAB: categories})
        named = {**variables.weights, **variables.slots}
        found.append({name: variable.numpy() for name, variable in named.items()})
        found.append(warm.predictions(model, data))

    warm.trained(new, fields, data, categories, config, warm_start=start)
    return found


def spelled(old, new):
    """Of each new piece, the rows of the old ones that spell it, by the codes of both."""
    first, last = old.pieces(), new.pieces()
    row_of = {piece: row for row, piece in enumerate(first)}
    speller = sentencepiece.SentencePieceProcessor(model_proto=old.model)
    return [
        [row_of[piece]] if piece in row_of else [row_of[p] for p in speller.encode_as_pieces(piece)]
        for piece in last
    ]


def test_a_new_piece_is_the_sum_of_the_rows_that_spelled_it(old, new, tmp_path):
    fields = {"name": "sid_spm", "rows": 60}
    first = warm.trained(old, fields, warm.batches(old, 100, seed=1))
    state = warm.write(tmp_path / "state", first, fields)
    before = ModelVariables(first, {TAB: FIRST})
    table = before.weights["item/table"].numpy()
    sums = before.slots["item/table/accumulator"].numpy().astype(np.float64)
    data = warm.batches(old, 60, seed=2, categories=LATER)
    variables, _ = carried(state, old, new, fields, data, LATER)

    rows = spelled(old, new)
    assert sum(len(parts) > 1 for parts in rows) > 1
    assert set(new.pieces()) & set(old.pieces())
    for row, parts in enumerate(rows):
        np.testing.assert_allclose(
            variables["item/table"][row], table[parts].sum(axis=0), rtol=1e-5, atol=1e-7
        )
        np.testing.assert_allclose(
            variables["item/table/accumulator"][row],
            (1 / np.sqrt(sums[parts])).sum(axis=0) ** -2,
            rtol=1e-5,
        )
    # home, search and all others were rows 0, 1 and 2.
    context = before.weights[f"context/{TAB}"].numpy()
    np.testing.assert_array_equal(variables[f"context/{TAB}"], context[[1, 2, 0, 2]])


def test_predictions_stay_where_new_pieces_are_made_of_the_old_ones(old, new, tmp_path):
    fields = {"name": "sid_spm", "rows": 60}
    first = warm.trained(old, fields, warm.batches(old, 100, seed=1))
    state = warm.write(tmp_path / "state", first, fields)
    every = np.unique(np.concatenate([old.items.sids, warm.added_items(5).sids]), axis=0)
    rows = spelled(old, new)
    made_of_old = []
    for sid in every:
        spelling = [part for row in new.rows(sid[None])[0] if row >= 0 for part in rows[row]]
        own = [row for row in old.rows(sid[None])[0] if row >= 0]
        made_of_old.append(spelling == own)
    assert 0 < np.sum(made_of_old) < len(every)
    kept = {tuple(sid) for sid in every[made_of_old]}

    def only_exact(batch):
        """Puts an item that is exactly spelled where there is another one."""
        some = np.array(next(iter(kept)))
        batch = dict(batch)
        for role in ("candidate", "current", "history"):
            sids = batch[f"{role}_sid"].numpy()
            for index in np.ndindex(sids.shape[:-1]):
                if tuple(sids[index]) not in kept:
                    sids[index] = some
            batch[f"{role}_sid"] = tf.constant(sids)
        return batch

    def exact(categories):
        return list(map(only_exact, warm.batches(old, 60, seed=2, categories=categories)))

    expected = warm.predictions(first, exact(FIRST))
    data = exact(LATER)
    whole = warm.batches(old, 60, seed=2, categories=LATER)
    found = []

    def start(model):
        carry_state(state, model, {TAB: LATER}, old, new)
        found.append(warm.predictions(model, data))

    warm.trained(new, fields, whole, LATER, warm_start=start)
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-6)
    assert np.ptp(expected) > 1e-3


@pytest.mark.parametrize(
    ("name", "separate"), [*((name, False) for name in ROWS), ("sid_hybrid", True)]
)
def test_predictions_stay_in_a_space_of_the_same_codes(name, separate, old, tmp_path):
    fields = {"name": name, "rows": ROWS[name], "separate_tables": separate}
    first = warm.trained(old, fields, warm.batches(old, 100, seed=1))
    expected = warm.predictions(first, warm.batches(old, 60, seed=2))
    state = warm.write(tmp_path / "state", first, fields)
    # Items in another order, as another log would count them.
    order = np.random.default_rng(3).permutation(len(old.items.sids))
    items = dataclasses.replace(
        old.items,
        item_ids=old.items.item_ids[order],
        sids=old.items.sids[order],
        impressions=old.items.impressions[order],
    )
    same = dataclasses.replace(old, space=REFRESHED, items=items)
    data = warm.batches(old, 60, seed=2, categories=LATER)
    _, found = carried(state, old, same, fields, data, LATER)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_content_of_moved_codes_is_projected_as_before(old, tmp_path):
    fields = {"name": "sid_hybrid", "rows": ROWS["sid_hybrid"]}
    first = warm.trained(old, fields, warm.batches(old, 100, seed=1))
    state = warm.write(tmp_path / "state", first, fields)
    before = first.representation.frozen_variables[0].numpy()
    moved = old.codebooks + np.random.default_rng(4).normal(
        scale=0.1, size=old.codebooks.shape
    ).astype(np.float32)
    refreshed = dataclasses.replace(old, space=REFRESHED, codebooks=moved)
    data = warm.batches(old, 60, seed=2)
    found = []

    def start(model):
        carry_state(state, model, {TAB: FIRST}, old, refreshed)
        found.append(model.representation.frozen_variables[0].numpy())

    warm.trained(refreshed, fields, data, warm_start=start)
    flat = old.codebooks.reshape(len(before), -1)
    # The directions of the singular vectors, up to what they were projected onto.
    directions = np.linalg.pinv(flat.astype(np.float64)) @ before
    np.testing.assert_allclose(directions.T @ directions, np.eye(before.shape[1]), atol=1e-4)
    np.testing.assert_allclose(
        found[0], moved.reshape(len(before), -1) @ directions, rtol=0, atol=1e-4
    )


def test_moments_of_adam_are_those_of_the_rows_that_spelled_a_piece(old, new, tmp_path):
    fields = {"name": "sid_spm", "rows": 60}
    config = dataclasses.replace(CONFIG, table_optimizer="adam")
    first = warm.trained(old, fields, warm.batches(old, 100, seed=1), config=config)
    state = warm.write(tmp_path / "state", first, fields)
    slots = ModelVariables(first, {TAB: FIRST}).slots
    momentum, velocity = (slots[f"item/table/{s}"].numpy() for s in ("momentum", "velocity"))
    data = warm.batches(old, 60, seed=2)
    variables, _ = carried(state, old, new, fields, data, FIRST, config)
    for row, parts in enumerate(spelled(old, new)):
        np.testing.assert_allclose(
            variables["item/table/momentum"][row],
            momentum[parts].mean(axis=0),
            rtol=1e-5,
            atol=1e-9,
        )
        if (velocity[parts] > 1e-20).all():
            np.testing.assert_allclose(
                variables["item/table/velocity"][row],
                (velocity[parts].astype(np.float64) ** -0.5).sum(axis=0) ** -2,
                rtol=1e-4,
            )
