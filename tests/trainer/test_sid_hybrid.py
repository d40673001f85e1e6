import contextlib

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations import SidHybrid
from semantic_id_ranking.trainer.ranker.representations.item_keys import ABSENT
from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.ranker.representations.seen_sids import SeenSids
from semantic_id_ranking.trainer.ranker.representations.sid_content import SidContent
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.trainer import representation_cases as cases
from tests.trainer.representation_cases import CODES
from tests.trainer.representation_cases import DIM
from tests.trainer.representation_cases import LATENT
from tests.trainer.representation_cases import LEVELS

TAU, FADE = 7.0, 4.0
CODE_ROWS = LEVELS * CODES
# One row of ten is a frequency row.
FREQUENCY_ROWS, OWN_ROWS = 6, 29
# The first row is that of absent items.
ROWS = 1 + CODE_ROWS + FREQUENCY_ROWS + OWN_ROWS


@pytest.fixture(scope="module")
def resources() -> SidTokenizer:
    return cases.make_resources()


def hybrid(resources, rows=ROWS):
    """A hybrid with known random tables."""
    return cases.make_filled(SidHybrid(rows=rows, tau=TAU, fade=FADE), resources)


def impression_counts(resources):
    """Impressions of each Semantic ID, by a loop."""
    counts = {}
    for sid, count in zip(resources.items.sids, resources.items.impressions, strict=True):
        counts[tuple(sid)] = counts.get(tuple(sid), 0) + int(count)
    return counts


def own_rows(resources, rows):
    """Rows of the Semantic IDs with most impressions, in descending order."""
    counts = impression_counts(resources)
    assert len(set(counts.values())) == len(counts)
    order = sorted(counts, key=lambda sid: -counts[sid])
    return {sid: row for row, sid in enumerate(order[:rows])}


def weights(resources, rows):
    """Of codes and of frequencies: 0.3 and 0.5 if every impression is of an item with a row."""
    counts = impression_counts(resources)
    covered = sum(counts[sid] for sid in own_rows(resources, rows)) / sum(counts.values())
    return 1 - 0.7 * covered, 1 - 0.5 * covered


def frequency(impressions):
    """The frequency row: 0; 1 and 2; 3 to 6; 7 to 14; ..."""
    return min(int(impressions + 1).bit_length() - 1, FREQUENCY_ROWS - 1)


def content_by_loop(layer, resources):
    """The map of a Semantic ID's latent vector along the main directions."""
    (kernel,) = [w.numpy() for w in layer.trainable_variables if "content_map" in w.name]
    assert kernel.shape == (DIM, DIM)

    def latent(sid):
        total = np.zeros(LATENT)
        for level, code in enumerate(sid):
            total += resources.codebooks[level, code]
        return total

    sids = np.array(sorted(impression_counts(resources)), np.int32)
    known = np.array([latent(sid) for sid in sids])
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    _, _, directions = np.linalg.svd(known, full_matrices=False)
    # The sign of a direction is the library's choice.
    found = SidContent(resources.codebooks, sids, DIM)
    owner = tf.keras.layers.Layer()
    found.build(owner)
    along = np.array([latent(sid) for sid in sids]) @ directions[:DIM].T
    along *= DIM**0.5 / np.linalg.norm(along, axis=1, keepdims=True)
    latents = found.find(tf.constant(sids)).numpy()
    np.testing.assert_allclose(np.abs(latents), np.abs(along), rtol=1e-3, atol=1e-4)
    return lambda sid: (found.find(tf.constant([sid])).numpy() @ kernel)[0]


@pytest.mark.parametrize(
    ("training", "fold"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_an_item_is_codes_content_frequency_and_what_is_trusted_of_its_own(
    resources, training, fold
):
    layer = hybrid(resources)
    shared, own = (table.numpy() for table in layer.tables)
    assert (len(shared), len(own)) == (1 + CODE_ROWS + FREQUENCY_ROWS, OWN_ROWS)
    # The row of absent items counts for nothing.
    shared = shared[1:]
    content = content_by_loop(layer, resources)
    rows, counts = own_rows(resources, OWN_ROWS), impression_counts(resources)
    of_codes, of_frequencies = weights(resources, OWN_ROWS)
    assert 0.3 < of_codes < of_frequencies < 0.9
    items = cases.some_items(resources, 200)
    # In training, an item counts one impression less.
    with layer.folded() if fold else contextlib.nullcontext():
        vectors = layer(items, training=training).all().numpy()
    lookups, kinds = layer.lookups(items).numpy(), set()
    for i, sid in enumerate(map(tuple, items["sid"].numpy())):
        expected, kind = np.zeros(DIM), "absent"
        if min(sid) >= 0:
            n = max(counts.get(sid, 0) - training, 0)
            codes = sum(shared[level * CODES + code] for level, code in enumerate(sid))
            expected = of_codes * codes + of_frequencies * shared[CODE_ROWS + frequency(n)]
            expected = expected + FADE / (n + FADE) * content(sid)
            kind = "seen" if sid in counts else "new"
            if sid in rows:
                expected, kind = expected + own[rows[sid]] * n / (n + TAU), "own"
        np.testing.assert_allclose(vectors[i], expected, rtol=1e-4, atol=1e-5)
        assert lookups[i] == {"absent": 0, "new": LEVELS + 1, "seen": LEVELS + 1}.get(
            kind, LEVELS + 2
        )
        kinds.add(kind)
    assert kinds == {"absent", "new", "seen", "own"}


@pytest.mark.parametrize("rows", [ROWS, 24])
def test_folded_constants_are_those_of_the_weights_at_the_time(resources, rows):
    layer = hybrid(resources, rows)
    items = cases.some_items(resources, 50)
    weights_before = {id(one) for one in layer.weights}
    before = layer(items).all().numpy()
    with layer.folded():
        for table in layer.tables:
            table.assign(2 * table)
        np.testing.assert_allclose(layer(items).all(), before, rtol=1e-4, atol=1e-6)
    assert np.abs(layer(items).all() - before).max() > 0.1
    # They are no weights, which a checkpoint would have.
    assert {id(one) for one in layer.weights} == weights_before


def of_one_item(impressions):
    sids = np.array([[0, 1, 2]], np.int32)
    items = ImpressedItems(np.array([b"a"]), sids, np.array([impressions]))
    codebooks = np.ones((LEVELS, CODES, LATENT), np.float32)
    layer = SidHybrid(rows=ROWS).create(
        DIM, SidTokenizer(cases.SPACE, items=items, codebooks=codebooks)
    )
    return layer, {"sid": tf.constant(sids, tf.int64)}


@pytest.mark.parametrize(
    ("impressions", "row"),
    [(1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (14, 3), (15, 4), (30, 4), (31, 5), (2**40, 5)],
)
def test_frequency_rows_double_their_span(impressions, row):
    layer, items = of_one_item(impressions)
    shared = range(CODE_ROWS, CODE_ROWS + FREQUENCY_ROWS)
    assert moved_rows(layer, items, training=False).intersection(shared) == {CODE_ROWS + row}


def moved_rows(layer, items, training):
    """Rows that have a gradient: of codes, frequencies and, after them, single items."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(items, training=training).all())
    shared, own = tape.gradient(loss, layer.tables)
    gradient = np.concatenate([tf.convert_to_tensor(shared), tf.convert_to_tensor(own)])
    moved = set(np.flatnonzero(np.abs(gradient).max(axis=1) > 0))
    assert 0 not in moved
    return {row - 1 for row in moved}


def test_what_was_seen_once_learns_as_a_new_item_and_not_by_its_own_row():
    layer, once = of_one_item(1)
    new = {"sid": tf.constant([[3, 3, 3]], tf.int64)}
    codes = set(range(CODE_ROWS))
    assert moved_rows(layer, once, training=True) - codes == {CODE_ROWS}
    assert moved_rows(layer, new, training=False) - codes == {CODE_ROWS}


@pytest.mark.parametrize(("own", "covered"), [(0, 0.0), (1, 0.7), (2, 0.9), (3, 1.0), (9, 1.0)])
def test_impressions_of_items_with_a_row_are_counted(own, covered):
    sids = np.array([[0, 1, 2], [3, 3, 3], [4, 4, 4], [0, 1, 2]], np.int32)
    items = ImpressedItems(np.array([b"a", b"b", b"c", b"d"]), sids, np.array([40, 20, 10, 30]))
    assert SeenSids(items, own).covered == pytest.approx(covered)


def test_without_impressions_nothing_is_covered():
    none = ImpressedItems(np.array([], object), np.zeros((0, 3), np.int32), np.array([], int))
    assert SeenSids(none, 2).covered == 0


def test_items_of_one_semantic_id_count_together():
    sids = np.array([[0, 1, 2], [3, 3, 3], [0, 1, 2]], np.int32)
    items = ImpressedItems(np.array([b"a", b"b", b"c"]), sids, np.array([4, 5, 3]))
    known, owner = SeenSids(items, 1), tf.keras.layers.Layer()
    known.build(owner)
    keys = sid_keys(tf.constant([[3, 3, 3], [0, 1, 2], [0, 0, 0]]))
    index = known.find(tf.concat([keys, [ABSENT]], axis=0))
    rows, impressions = known.rows_at(index), known.impressions_at(index)
    assert known.sids[index.numpy()[:2]].tolist() == [[3, 3, 3], [0, 1, 2]]
    assert index.numpy()[2:].tolist() == [-1, -1]
    assert rows.numpy().tolist() == [-1, 0, -1, -1]
    assert impressions.numpy().tolist() == [5, 7, 0, 0]


def test_own_rows_start_at_zero(resources):
    layer = SidHybrid(rows=ROWS).create(DIM, resources)
    layer(cases.some_items(resources, 3))
    shared, own = (table.numpy() for table in layer.tables)
    np.testing.assert_array_equal(own, np.zeros((OWN_ROWS, DIM)))
    assert np.abs(shared).max(axis=1).min() > 0
    assert np.abs(shared).max() <= 0.05


def test_the_map_of_the_content_starts_small(resources):
    layer = SidHybrid(rows=ROWS).create(64, resources)
    layer(cases.some_items(resources, 3))
    (kernel,) = [w.numpy() for w in layer.trainable_variables if "content_map" in w.name]
    # Glorot's bound, and three tenths of it.
    bound = 0.3 * (6 / sum(kernel.shape)) ** 0.5
    assert 0.9 * bound < np.abs(kernel).max() <= bound


@pytest.mark.parametrize(("rows", "frequencies"), [(LEVELS + 2, 1), (ROWS, 6), (1000, 24)])
def test_it_keeps_to_its_rows(resources, rows, frequencies):
    layer = hybrid(resources, rows)
    # There are not more own rows than Semantic IDs.
    most = 1 + CODE_ROWS + frequencies + len(impression_counts(resources))
    assert sum(table.shape[0] for table in layer.tables) == layer.table_rows == min(rows, most)


def test_content_is_told_of_what_no_code_row_knows(resources):
    """Of two new items, the one with the content of a known one is like it."""
    codebooks = np.zeros((LEVELS, CODES, LATENT), np.float32)
    codebooks[0, :, 0] = 1
    # Codes 1 and 2 of the last level mean nearly the same, code 3 another thing.
    codebooks[2, 1, 1], codebooks[2, 2, 1], codebooks[2, 3, 2] = 1, 0.9, 1
    sids = np.array([[0, 0, 1], [0, 0, 3], [0, 0, 2]], np.int32)
    content, owner = SidContent(codebooks, sids, 3), tf.keras.layers.Layer()
    content.build(owner)
    known, other, alike = content.find(tf.constant(sids)).numpy()
    assert known @ alike > 0.99 * 3
    assert known @ other == pytest.approx(0.5 * 3, rel=1e-4)


def test_it_needs_the_codebooks(resources):
    bare = SidTokenizer(cases.SPACE, items=resources.items)
    with pytest.raises(ValueError, match="needs the codebooks of the RQ-VAE"):
        SidHybrid(rows=ROWS).create(DIM, bare)


@pytest.mark.parametrize(("rows", "levels", "code_rows"), [(24, 2, 16), (8, 1, 6)])
def test_of_few_rows_the_first_levels_have_them(resources, rows, levels, code_rows):
    layer = hybrid(resources, rows)
    shared = layer.tables[0].numpy()[1:]
    content = content_by_loop(layer, resources)
    # Without impressions, so without an own row.
    sid = (7, 7, 7)
    assert sid not in impression_counts(resources)
    items = {"sid": tf.constant([sid], tf.int64)}
    of_codes, of_frequencies = weights(resources, layer.table_rows - 1 - len(shared))
    codes = sum(shared[level * CODES + sid[level] % code_rows] for level in range(levels))
    expected = of_codes * codes + of_frequencies * shared[code_rows] + content(sid)
    np.testing.assert_allclose(layer(items).all()[0], expected, rtol=1e-4, atol=1e-5)
    assert layer.lookups(items).numpy().tolist() == [levels + 1]


def test_too_few_rows_are_refused(resources):
    with pytest.raises(ValueError, match=r"2 rows cannot be shared by a code.* needs 3 or more"):
        hybrid(resources, 2)
