"""SidAnalyzer: its report, against counts and errors worked out here."""

import itertools
import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import SidReport
from semantic_id_ranking.components.sid_analyzer.executor import Executor
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from tests import exported_models
from tests.components import tiny_rqvae
from tests.components.artifact_files import artifact
from tests.components.artifact_files import example
from tests.components.artifact_files import write_examples
from tests.components.tiny_rqvae import TinyRqVae

TRAIN, UNSEEN = 50, 20


def report(folder, model, train, unseen):
    """Analyses items of the model's own codes, whose table is in another order."""
    examples = artifact(standard_artifacts.Examples, folder / "items")
    number = itertools.count()
    write_examples(
        examples,
        **{
            split: [
                example(item_id=b"i%d" % next(number), embedding=[float(x) for x in row])
                for row in rows
            ]
            for split, rows in (("train", train), ("eval", unseen))
        },
    )
    embeddings = np.concatenate([train, unseen])
    table = sid_table.to_table(
        np.array([f"i{n}" for n in range(len(embeddings))], object)[::-1],
        model.encode(embeddings)[::-1].astype(np.int32),
        np.zeros(len(embeddings), np.int64),
        model.space,
    )
    sids = artifact(SemanticIds, folder / "sids")
    pq.write_table(table, f"{sids.uri}/sids.parquet")
    output = artifact(SidReport, folder / "report")
    Executor().Do(
        {"examples": [examples], "model": [model.artifact], "semantic_ids": [sids]},
        {"report": [output]},
        {},
    )
    return json.loads(pathlib.Path(output.uri, "report.json").read_text())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return TinyRqVae(tmp_path_factory.mktemp("rqvae") / "model")


@pytest.fixture(scope="module")
def embeddings(model):
    return model.items(TRAIN + UNSEEN)


@pytest.fixture(scope="module")
def found(tmp_path_factory, model, embeddings):
    return report(tmp_path_factory.mktemp("all"), model, embeddings[:TRAIN], embeddings[TRAIN:])


def test_the_space_is_named(found, model):
    assert found["fingerprint"] == model.space.fingerprint
    assert (found["levels"], found["codebook_size"]) == (tiny_rqvae.LEVELS, tiny_rqvae.CODES)
    assert found["items"] == TRAIN + UNSEEN


def test_codes_are_counted_over_all_items(found, model, embeddings):
    sids = [tuple(sid) for sid in model.encode(embeddings).tolist()]
    assert found["unique_fraction"] == sum(sids.count(sid) == 1 for sid in sids) / len(sids)
    levels = list(zip(*sids, strict=True))
    assert found["codebook_use"] == [len(set(level)) / tiny_rqvae.CODES for level in levels]
    assert found["idle_levels"] == []
    for level, perplexity in zip(levels, found["perplexity"], strict=True):
        shares = [level.count(code) / len(level) for code in set(level)]
        # The exponential of the entropy is the product of share ** -share.
        assert perplexity == pytest.approx(np.prod([share**-share for share in shares]))


def test_reconstruction_is_measured_on_items_that_were_not_trained_on(found, model, embeddings):
    unseen = embeddings[TRAIN:].astype(float)
    errors = [np.sum(e**2) for e in unseen - model.decode(model.encode(unseen))]
    spreads = [np.sum(e**2) for e in unseen - embeddings[:TRAIN].mean(axis=0)]
    assert found["reconstruction_items"] == "unseen"
    assert found["reconstruction"] == pytest.approx(sum(errors) / sum(spreads), rel=1e-4)
    assert found["reconstruction_median"] == pytest.approx(
        np.median(errors) / np.median(spreads), rel=1e-4
    )
    assert found["outlying_items"] == 0


def test_prefixes_are_counted_and_their_cosines_averaged(found, model, embeddings):
    sids = model.encode(embeddings).tolist()
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    for length, row in enumerate(found["prefixes"], start=1):
        prefixes = [tuple(sid[:length]) for sid in sids]
        sizes = sorted(prefixes.count(prefix) for prefix in set(prefixes))
        # An item's mean over the others of its group, then the mean over the items that have some.
        cosines = [
            np.mean([unit[i] @ unit[j] for j in range(len(sids)) if j != i and prefixes[j] == own])
            for i, own in enumerate(prefixes)
            if prefixes.count(own) > 1
        ]
        assert row["prefix"] == length
        assert row["pairs"] == sum(size * (size - 1) // 2 for size in sizes)
        assert row["subtree_size"] == np.percentile(sizes, [25, 50, 75]).tolist()
        # 200,000 random pairs are averaged.
        assert row["mean_cosine"] == pytest.approx(np.mean(cosines), abs=0.01)


def test_without_unseen_items_the_training_items_are_measured_and_outliers_left_out(
    tmp_path, model, embeddings
):
    far = np.full((1, tiny_rqvae.DIM), 1e6, np.float32)
    train = np.concatenate([embeddings[:TRAIN], far])
    found = report(tmp_path, model, train, train[:0])
    near = embeddings[:TRAIN].astype(float)
    errors = near - model.decode(model.encode(near))
    assert found["reconstruction_items"] == "training"
    assert found["outlying_items"] == 1
    assert found["reconstruction"] == pytest.approx(
        np.sum(errors**2) / np.sum((near - near.mean(axis=0)) ** 2), rel=1e-4
    )


def test_a_damaged_model_is_refused(tmp_path):
    damaged = TinyRqVae(tmp_path / "model")
    exported_models.flip_bit(f"{damaged.path}/saved_model.pb", 20)
    items = damaged.items(3)
    with pytest.raises(InputError, match=r"saved_model\.pb is not as it was exported"):
        report(tmp_path, damaged, items[:2], items[2:])
