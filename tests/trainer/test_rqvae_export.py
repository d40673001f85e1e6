import dataclasses
import json
import types

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.export import export
from semantic_id_ranking.trainer.rqvae.export import may_search_in_bfloat16
from semantic_id_ranking.trainer.rqvae.fast_encoder import FastEncoder
from semantic_id_ranking.trainer.rqvae.run_fn import read_items
from semantic_id_ranking.trainer.rqvae.run_fn import run_fn
from semantic_id_ranking.trainer.rqvae.semantic_ids import SemanticIds
from semantic_id_ranking.trainer.rqvae.train import train
from semantic_id_ranking.trainer.rqvae.training_profile import TrainingProfile

CONFIG = RqVaeConfig(
    levels=3, codebook_size=16, epochs=2, batch_size=64, kmeans_mixtures=500, kmeans_iterations=3
)
ITEMS = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32) * 4 + 2


def searches_in_bfloat16(loaded):
    graph = loaded.signatures["encode"].graph.as_graph_def()
    functions = [graph.node, *(function.node_def for function in graph.library.function)]
    return any(n.op == "MaxPool" for nodes in functions for n in nodes)


def allow_bfloat16(monkeypatch, fast=True):
    monkeypatch.setattr(
        "semantic_id_ranking.trainer.rqvae.export.multiplies_bfloat16", lambda: fast
    )
    monkeypatch.setattr("semantic_id_ranking.trainer.rqvae.export._LARGE_CODEBOOK", 2)


@pytest.fixture(scope="module")
def model():
    return train(ITEMS[:250], ITEMS[250:], CONFIG).model


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def saved(model, request, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("model"))
    with pytest.MonkeyPatch.context() as patch:
        allow_bfloat16(patch)
        export(model, path, ITEMS if request.param == "bfloat16" else None)
    loaded = tf.saved_model.load(path)
    assert searches_in_bfloat16(loaded) == (request.param == "bfloat16")
    return path, loaded


def test_codes_survive_the_export(model, saved):
    for name in ("encode", "serving_default"):
        sids = saved[1].signatures[name](embedding=tf.constant(ITEMS))["sid"]
        assert sids.dtype == tf.int32
        np.testing.assert_array_equal(sids, model.encode(tf.constant(ITEMS)))


def test_bfloat16_is_searched_only_where_it_is_fast_and_finds_the_codes(model, monkeypatch):
    assert not may_search_in_bfloat16(model, ITEMS)  # 16 codes a level are too few.
    allow_bfloat16(monkeypatch)
    assert may_search_in_bfloat16(model, ITEMS)
    with monkeypatch.context() as patch:
        patch.setattr(FastEncoder, "agreement", lambda self, sample: 0.9998)
        assert not may_search_in_bfloat16(model, ITEMS)
    with monkeypatch.context() as patch:
        patch.setattr(FastEncoder, "clear_share", lambda self, sample: 0.6)
        assert not may_search_in_bfloat16(model, ITEMS)
    allow_bfloat16(monkeypatch, fast=False)
    assert not may_search_in_bfloat16(model, ITEMS)


def test_a_beam_is_never_searched_in_bfloat16(tmp_path, monkeypatch):
    allow_bfloat16(monkeypatch)
    model = train(ITEMS[:250], ITEMS[250:], dataclasses.replace(CONFIG, epochs=0, beam=3)).model
    export(model, str(tmp_path), ITEMS)
    encode = tf.saved_model.load(str(tmp_path)).signatures["encode"]
    sids = encode(embedding=tf.constant(ITEMS))["sid"]
    np.testing.assert_array_equal(sids, model.encode(tf.constant(ITEMS)))


def test_one_item_alone_gets_the_codes_it_gets_in_company(saved):
    encode = saved[1].signatures["encode"]
    together = encode(embedding=tf.constant(ITEMS[:5]))["sid"].numpy()
    alone = encode(embedding=tf.constant(ITEMS[2:3]))["sid"].numpy()
    assert alone.shape == (1, 3)
    assert alone[0].tolist() == together[2].tolist()


def test_decode_gives_the_reconstruction(model, saved):
    sids = model.encode(tf.constant(ITEMS))
    decoded = saved[1].signatures["decode"](sid=sids)["embedding"].numpy()
    np.testing.assert_allclose(decoded, model.decode(sids), rtol=1e-5, atol=1e-5)
    error = np.square(decoded - ITEMS).sum() / np.square(ITEMS - ITEMS.mean(axis=0)).sum()
    assert error < 0.3


def test_info_and_the_file_name_the_space(model, saved):
    info = {name: value.numpy() for name, value in saved[1].signatures["info"]().items()}
    assert info == {
        "fingerprint": model.space.fingerprint.encode(),
        "levels": 3,
        "codebook_size": 16,
        "embedding_dim": 5,
    }
    assert SidSpace.load(f"{saved[0]}/assets.extra") == model.space


def test_the_fingerprint_is_that_of_every_weight(model):
    before = model.space.fingerprint
    for variable in model.weights():
        value = variable.numpy()
        variable.assign(value + np.float32(1e-3))
        assert model.space.fingerprint != before, variable.name
        variable.assign(value)
    assert model.space.fingerprint == before


def write_examples(path, count):
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type="GZIP")) as file:
        for row in range(count):
            example = tf.train.Example()
            example.features.feature["item_id"].bytes_list.value.append(b"i%d" % row)
            example.features.feature["embedding"].float_list.value.extend(ITEMS[row])
            file.write(example.SerializeToString())


def run(folder, base_model=None):
    """The Trainer's call, into folders `serving` and `run`."""
    run_fn(
        types.SimpleNamespace(
            train_files=[str(folder / "tr*.gz")],
            eval_files=[str(folder / "there-is-none.gz")],
            custom_config={"rqvae": {"levels": 2, "codebook_size": 8, "epochs": 2}},
            serving_model_dir=str(folder / "serving"),
            model_run_dir=str(folder / "run"),
            base_model=base_model,
        )
    )


def test_run_fn_reads_the_training_split_alone(tmp_path):
    write_examples(tmp_path / "train.gz", 200)
    run(tmp_path)
    loaded = tf.saved_model.load(str(tmp_path / "serving"))
    assert loaded.signatures["encode"](embedding=tf.constant(ITEMS))["sid"].shape == (300, 2)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert set(metrics) == {
        "epochs",
        "reconstruction",
        "codebook_use",
        "seconds",
        "outlying_items",
        "kept",
    }
    assert metrics["kept"] is None
    assert list((tmp_path / "run").glob("events*"))


def test_a_base_model_is_refreshed(tmp_path):
    write_examples(tmp_path / "train.gz", 200)
    run(tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    write_examples(new / "train.gz", 300)
    run(new, str(tmp_path / "serving"))
    kept = json.loads((new / "run" / "metrics.json").read_text())["kept"]
    assert kept[0] >= kept[1] > 0.5
    before, after = (SemanticIds.load(str(f / "serving")) for f in (tmp_path, new))
    assert before.fingerprint != after.fingerprint
    same = (before.encode(ITEMS) == after.encode(ITEMS)).all(axis=1)
    assert same.mean() > 0.5
    profile = TrainingProfile.load(str(new / "serving" / "assets.extra"))
    assert profile.items + profile.held_out == 300


def test_of_too_many_items_a_sample_is_read(tmp_path):
    write_examples(tmp_path / "a.gz", 200)
    ids, embeddings = read_items([str(tmp_path / "a.gz")], 50, seed=0)
    assert len(set(ids)) == 50
    # Not the first fifty, and each with its own embedding.
    rows = [int(item_id[1:]) for item_id in ids]
    assert max(rows) > 100
    np.testing.assert_array_equal(embeddings, ITEMS[rows])


def test_an_embedding_of_another_length_is_an_error(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "a.gz"), "GZIP") as file:
        for name, embedding in ((b"long", [1.0, 2.0, 3.0]), (b"short", [1.0, 2.0])):
            example = tf.train.Example()
            example.features.feature["item_id"].bytes_list.value.append(name)
            example.features.feature["embedding"].float_list.value.extend(embedding)
            file.write(example.SerializeToString())
    with pytest.raises(ValueError, match="item short has an embedding of 2 numbers"):
        read_items([str(tmp_path / "a.gz")], 50, seed=0)


def test_no_items_is_an_error(tmp_path):
    write_examples(tmp_path / "a.gz", 0)
    with pytest.raises(ValueError, match="no item in"):
        read_items([str(tmp_path / "a.gz")], 50, seed=0)
