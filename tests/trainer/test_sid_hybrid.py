import os
import subprocess
import sys

import numpy as np
import pytest
import representation_cases as cases
import tensorflow as tf
from representation_cases import CODES
from representation_cases import DIM
from representation_cases import LEVELS

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations import create_representation
from trainer.ranker.representations import SidResources

TAU = 7.0
CODE_ROWS = LEVELS * CODES


@pytest.fixture(scope="module")
def resources(tmp_path_factory) -> SidResources:
    return cases.make_resources(str(tmp_path_factory.mktemp("tokenizer")))


def hybrid(resources, rows=60, **options):
    """A hybrid with known random tables and impressions."""
    config = RepresentationConfig("sid_hybrid", rows, **{"tau": TAU, "drop": 0.0, **options})
    layer = cases.make_filled(config, resources)
    shape = layer.impressions.shape
    layer.impressions.assign(np.random.default_rng(3).integers(0, 30, shape).astype(np.float32))
    return layer


def frequent_prefixes(resources, rows):
    """The prefixes of two and three codes with most impressions, in the order of their keys.

    Three codes that were shown as often as their first two have none.
    """
    shown, parent = {}, {}
    for sid, count in zip(resources.items.sids, resources.items.impressions, strict=True):
        for depth in (2, 3):
            key = cases.code_key(sid[:depth])
            shown[key] = shown.get(key, 0) + count
        parent[key] = cases.code_key(sid[:2])
    own = [key for key in shown if key not in parent or shown[key] < shown[parent[key]]]
    assert len(own) < len(shown)
    return sorted(sorted(own, key=lambda key: (-shown[key], key))[:rows])


def memory_rows(memory, resources, sid, item_id, rows):
    """Memorising rows of one item of a hybrid of so many of them, by a loop."""
    if memory == "prefix":
        kept = frequent_prefixes(resources, rows)
        keys = [cases.code_key(sid[:depth]) for depth in (2, 3)]
        return [kept.index(key) for key in keys if key in kept]
    if memory == "hashed prefix":
        return [cases.code_row(sid[:2], rows // 2), rows // 2 + cases.code_row(sid, rows // 2)]
    if memory == "item_id":
        ids = resources.items.item_ids.tolist()
        # The first items are the most frequent ones.
        kept = sorted(cases.id_key(one) for one in ids[:rows])
        return [kept.index(cases.id_key(item_id))] if cases.id_key(item_id) in kept else []
    pieces = [piece for piece in cases.pieces(resources, sid) if piece in several_codes(resources)]
    return [several_codes(resources).index(piece) for piece in pieces]


def several_codes(resources):
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_proto=resources.tokenizer_model)
    names = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    return [i for i, name in enumerate(names) if len(name) > 1 and name != "<unk>"]


OPTIONS = {
    "prefix": {"memory": ("prefix",)},
    "hashed prefix": {"memory": ("prefix",), "memory_keys": "hashed"},
    "item_id": {"memory": ("item_id",)},
    "spm": {"memory": ("spm",)},
}


@pytest.mark.parametrize("memory", OPTIONS)
@pytest.mark.parametrize("gate", ["count", "learnt", "none"])
def test_an_item_is_its_codes_plus_what_is_trusted_of_its_memory(resources, memory, gate):
    layer = hybrid(resources, gate=gate, **OPTIONS[memory])
    tau, power = TAU, 1.0
    if gate == "learnt":
        tau, power = 4.0, 2.0
        layer.log_tau.assign(np.log(tau))
        layer.power.assign(power)
    general, table = (one.numpy() for one in layer.tables)
    n = layer.impressions.numpy()
    trust = np.ones(len(n)) if gate == "none" else n**power / (n**power + tau**power)
    items = cases.some_items(resources, 100)
    vectors, lookups = layer(items).all().numpy(), layer.lookups(items).numpy()
    seen = set()
    for i in range(100):
        sid, item_id = items["sid"].numpy()[i], items["item_id"].numpy()[i]
        expected, rows = np.zeros(DIM), []
        if sid.min() >= 0:
            rows = memory_rows(memory, resources, sid, item_id, len(n))
            expected = sum(general[level * CODES + code] for level, code in enumerate(sid))
            expected = expected + sum(trust[row] * table[row] for row in rows)
        np.testing.assert_allclose(vectors[i], expected, rtol=1e-4, atol=1e-5)
        assert lookups[i] == (LEVELS + len(rows) if sid.min() >= 0 else 0)
        seen.add(len(rows))
    assert max(seen) > 0
    assert len(general) + len(table) == layer.table_rows <= 60


def test_an_untrained_row_says_nothing(resources):
    for gate in ("count", "learnt"):
        layer = hybrid(resources, gate=gate)
        layer.impressions.assign(tf.zeros_like(layer.impressions))
        items = cases.some_items(resources, 50)
        before = layer(items).all().numpy()
        layer.tables[1].assign(tf.ones_like(layer.tables[1]) * 1000)
        np.testing.assert_array_equal(layer(items).all(), before)


def test_impressions_are_counted_in_training_alone_and_of_candidates_alone(resources):
    layer = hybrid(resources)
    layer.impressions.assign(tf.zeros_like(layer.impressions))
    items = cases.some_items(resources, 80)
    expected = np.zeros(layer.impressions.shape[0])
    for i in range(50):
        sid, item_id = items["sid"].numpy()[i], items["item_id"].numpy()[i]
        if sid.min() >= 0:
            for row in memory_rows("prefix", resources, sid, item_id, len(expected)):
                expected[row] += 1
    layer(items)
    np.testing.assert_array_equal(layer.impressions, np.zeros_like(expected))
    tf.function(lambda: layer(items, impressions=50, training=True).distinct)()
    np.testing.assert_array_equal(layer.impressions, expected)
    assert expected.max() > 1
    layer(items, impressions=50, training=True)
    np.testing.assert_array_equal(layer.impressions, 2 * expected)


def test_impressions_known_before_training_stay_as_they_are(resources):
    config = RepresentationConfig("sid_hybrid", 60, memory=("item_id",), counted="before")
    layer = create_representation(config, DIM, resources)
    items = cases.some_items(resources, 30)
    layer(items, impressions=30, training=True)
    shown = resources.items.impressions[:36]
    ids = [cases.id_key(item_id) for item_id in resources.items.item_ids[:36].tolist()]
    expected = [count for _, count in sorted(zip(ids, shown, strict=True))]
    np.testing.assert_array_equal(layer.impressions, expected)
    with pytest.raises(ValueError, match="know their impressions before training"):
        hybrid(resources, memory_keys="hashed", counted="before")


def test_memory_is_dropped_whole_and_at_random(resources):
    items = cases.some_items(resources, 2000)
    layer = hybrid(resources, gate="none", drop=0.25)
    layer.tables[1].assign(tf.ones_like(layer.tables[1]))
    full = layer(items).all().numpy()
    general = hybrid(resources, gate="none", drop=0.25)
    general.tables[1].assign(tf.zeros_like(general.tables[1]))
    bare = general(items).all().numpy()
    has_memory = np.abs(full - bare).max(axis=1) > 1e-3
    shares = []
    for _ in range(40):
        vectors, index = layer(items, training=True)
        some = tf.gather(vectors, index).numpy()
        is_full = np.abs(some - full).max(axis=1) < 1e-4
        is_bare = np.abs(some - bare).max(axis=1) < 1e-4
        assert np.all(is_full | is_bare)
        shares.append(is_bare[has_memory].mean())
    # About a hundred distinct items, forty times: 0.25 within four standard errors.
    assert np.mean(shares) == pytest.approx(0.25, abs=0.04)
    assert np.std(shares) > 0


def test_memory_starts_at_zero(resources):
    config = RepresentationConfig("sid_hybrid", 60)
    layer = create_representation(config, DIM, resources)
    layer(cases.some_items(resources, 3))
    np.testing.assert_array_equal(layer.tables[1], np.zeros(layer.tables[1].shape))
    np.testing.assert_array_equal(layer.impressions, np.zeros(layer.impressions.shape))
    assert np.abs(layer.tables[0].numpy()).max() > 0


@pytest.mark.parametrize("rows", [20, 60, 1000])
def test_it_keeps_to_its_rows(resources, rows):
    for memory in (("prefix",), ("item_id",), ("prefix", "item_id")):
        for keys in ("frequent", "hashed"):
            layer = hybrid(resources, rows, memory=memory, memory_keys=keys)
            used = sum(table.shape[0] for table in layer.tables)
            assert used == layer.table_rows <= rows
            assert layer.tables[0].shape[0] == min(CODE_ROWS, rows // 2)


REPLICAS = """
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
import ranker_cases as cases
from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations import create_representation, SidResources
config = RepresentationConfig("sid_hybrid", 40, memory_keys="hashed", drop=0.0)
counts, weights = [], []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        layer = create_representation(config, cases.DIM, SidResources(cases.SPACE))
        model = cases.ranker(layer=layer)
        model.compile(tf.keras.optimizers.SGD(0.5), tf.keras.optimizers.SGD(0.5))
    inputs = cases.features([[0, 1], [1, 2], [3, 3], [0, 1]], [[[1, 1]]] * 4)
    inputs["label_click"] = tf.constant([1.0, 0.0, 1.0, 1.0])
    data = tf.data.Dataset.from_tensors(inputs).unbatch().batch(4)
    model.fit(data, epochs=2, verbose=0)
    counts.append(layer.impressions.numpy())
    weights.append(model.get_weights())
np.testing.assert_array_equal(counts[0], counts[1])
assert counts[0].sum() == 8 and counts[0].max() == 4, counts
for one, two in zip(*weights):
    np.testing.assert_allclose(one, two, atol=1e-6)
print("same")
"""


def test_two_replicas_count_what_one_counts():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REPLICAS],
        env={
            **os.environ,
            "PYTHONPATH": os.path.dirname(cases.__file__),
            "TF_USE_LEGACY_KERAS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("same\n"), done.stderr[-3000:]
