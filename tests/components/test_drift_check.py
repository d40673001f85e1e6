"""DriftCheck: its verdict on Examples of items, with a model exported for it."""

import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import DriftReport
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.drift_check.executor import Executor
from semantic_id_ranking.components.drift_check.item_sample import ItemSample
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.semantic_ids import SemanticIds as Encoder
from semantic_id_ranking.trainer.rqvae.train_and_export import train_and_export
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.components.artifact_files import artifact
from tests.components.artifact_files import example
from tests.components.artifact_files import write_examples
from tests.components.tiny_rqvae import TinyRqVae

RNG = np.random.default_rng(0)
CENTRES = 3 * RNG.normal(size=(20, 6))
CONFIG = RqVaeConfig(preset="rq_kmeans", levels=2, codebook_size=16, kmeans_mixtures=0)


def items(count):
    """Items in clusters."""
    return (CENTRES[RNG.integers(0, 20, count)] + 0.5 * RNG.normal(size=(count, 6))).astype("f4")


KNOWN, NEW = items(600), items(40)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rqvae") / "model"
    made = artifact(standard_artifacts.Model, folder)
    train_and_export(KNOWN, np.arange(600) % 10 == 0, CONFIG, f"{folder}/Format-Serving")
    return made


def encoder(model):
    return Encoder.load(f"{model.uri}/Format-Serving")


def table(folder, model, embeddings, space=None, sids=None):
    """Earlier Semantic IDs of items k0, k1, ..."""
    made = artifact(SemanticIds, folder)
    ids = np.array([f"k{n}" for n in range(len(embeddings))], object)
    sids = encoder(model).encode(embeddings) if sids is None else sids
    rows = sid_table.to_table(
        ids, sids, sid_table.digest(embeddings), space or encoder(model).space
    )
    pq.write_table(rows, f"{folder}/sids-00000-of-00001.parquet")
    return made


def check(folder, model, known, new, earlier=None, tokenizer=None):
    """The report on known items k0, k1, ... and new ones n0, n1, ..."""
    examples = artifact(standard_artifacts.Examples, folder / "items")
    write_examples(
        examples,
        **{
            split: [
                example(item_id=f"{name}{n}".encode(), embedding=list(map(float, row)))
                for n, row in enumerate(rows)
            ]
            for split, name, rows in (("train", "k", known), ("eval", "n", new))
        },
    )
    inputs = {
        "examples": [examples],
        "model": [model],
        "earlier": [earlier or table(folder / "earlier", model, KNOWN)],
    }
    if tokenizer:
        inputs["tokenizer"] = [tokenizer]
    output = artifact(DriftReport, folder / "report")
    Executor().Do(inputs, {"report": [output]}, {})
    return json.loads(pathlib.Path(output.uri, "drift.json").read_text())


def test_an_ordinary_day_is_kept_and_counted(tmp_path, model):
    known = KNOWN.copy()
    known[:3] += 0.25
    report = check(tmp_path, model, known[:500], NEW)
    assert report["verdict"] == "keep"
    assert report["new"]["items"] == 40
    found = report["known"]
    assert (found["items"], found["changed"], found["encoded_again"]) == (500, 3, 497)
    assert found["not_as_before"] == 0
    encode = encoder(model).encode
    changed = (encode(KNOWN[:3]) != encode(known[:3])).any(axis=1).mean() * 3 / 500
    assert found["changed_ids"] == pytest.approx(changed)


def test_errors_of_new_items_are_those_of_the_model(tmp_path, model):
    report = check(tmp_path, model, KNOWN, NEW)
    decoded = encoder(model).decode(encoder(model).encode(NEW))
    errors = np.square(NEW - decoded).sum(axis=1) / np.square(NEW).sum(axis=1)
    assert report["new"]["error_0.5"] == pytest.approx(np.sort(errors)[20], rel=1e-5)
    held_out = KNOWN[::10]
    decoded = encoder(model).decode(encoder(model).encode(held_out))
    errors = np.square(held_out - decoded).sum(axis=1) / np.square(held_out).sum(axis=1)
    # Of 60 numbers the median "higher" is the 31st.
    assert report["new"]["error_0.5_training"] == pytest.approx(np.sort(errors)[30], rel=1e-5)


def test_another_encoder_is_found_in_new_and_in_known_items(tmp_path, model):
    (tmp_path / "new").mkdir()
    report = check(tmp_path / "new", model, KNOWN, NEW[:, ::-1])
    assert report["verdict"] == "refresh"
    (tmp_path / "known").mkdir()
    report = check(tmp_path / "known", model, KNOWN[:, ::-1], NEW[:0])
    assert report["verdict"] == "stop"
    assert "embeddings of 600 of 600 known items changed" in report["reason"]


def test_another_length_stops(tmp_path, model):
    report = check(tmp_path, model, KNOWN[:, :5], NEW[:, :5])
    assert report["verdict"] == "stop"
    assert report["reason"] == (
        "item 'k0' has an embedding of 5 numbers, but the SID space is one of 6"
    )


def test_ids_that_the_model_does_not_give_stop(tmp_path, model):
    sids = encoder(model).encode(KNOWN)
    sids[:20, 0] = (sids[:20, 0] + 1) % 16
    earlier = table(tmp_path / "earlier", model, KNOWN, sids=sids)
    report = check(tmp_path, model, KNOWN, NEW, earlier)
    assert report["verdict"] == "stop"
    assert report["reason"].startswith("20 of 600 items whose embedding is unchanged")


def test_new_pieces_are_counted(tmp_path, model):
    tokenizer = artifact(standard_artifacts.Model, tmp_path / "tokenizer")
    sids = encoder(model).encode(KNOWN)
    seen = (np.arange(600) < 300).astype(int)
    fitted = SidTokenizer.fit(sids, seen, encoder(model).space, rows=60)
    fitted.save(f"{tmp_path}/tokenizer/Format-Serving")
    report = check(tmp_path, model, KNOWN, NEW, tokenizer=tokenizer)
    trained = {piece for item in fitted.encode(sids[:300]) for piece in item}
    untrained = sum(
        any(piece not in trained for piece in item)
        for item in fitted.encode(encoder(model).encode(NEW))
    )
    assert report["pieces"]["new"] == untrained
    assert report["pieces"]["items"] == 300


def test_two_spaces_are_refused(tmp_path, model):
    earlier = table(tmp_path / "earlier", model, KNOWN, SidSpace("0" * 16, 2, 16, 6))
    with pytest.raises(SidSpaceMismatchError, match=r"the earlier Semantic IDs in 0{16}"):
        check(tmp_path, model, KNOWN, NEW, earlier)


def test_a_model_without_a_profile_is_refused(tmp_path):
    tiny = TinyRqVae(tmp_path / "model")
    rows = tiny.items(2)
    with pytest.raises(InputError, match=r"training_profile\.npz: is missing"):
        check(tmp_path, tiny.artifact, rows, rows[:0], table(tmp_path / "t", tiny.artifact, rows))


def test_a_sample_does_not_depend_on_the_order():
    ids = np.array([f"i{n}" for n in range(100)], object)
    rows = np.arange(100)
    samples = []
    for order in (rows, rows[::-1]):
        sample = ItemSample(10, 1, 1)
        for part in np.split(order, 4):
            sample.add(ids[part], rows[part, None].astype("f4"), rows[part, None].astype("i4"))
        assert sample.count == 100
        samples.append(sample.sids[:, 0].tolist())
    assert samples[0] == samples[1]
    assert len(set(samples[0])) == 10
    assert max(samples[0]) > 20
