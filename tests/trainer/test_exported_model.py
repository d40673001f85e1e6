"""Checks of an exported model: changed bytes, failing signatures, another SID space."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.errors import DamagedModelError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.trainer.exported_model import check_exported_model
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.export import export as export_rqvae
from semantic_id_ranking.trainer.rqvae.model import RqVae
from tests import exported_models


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return exported_models.export(tmp_path_factory.mktemp("exported") / "model")


@pytest.fixture
def model(whole, tmp_path):
    """A copy, to be damaged."""
    return pathlib.Path(shutil.copytree(whole, tmp_path / "model"))


def refused(model, fact):
    with pytest.raises(DamagedModelError, match=fact) as error:
        check_exported_model(str(model))
    assert str(error.value).startswith(f"{model}: ")
    assert "\n" not in str(error.value)


def test_what_was_exported_is_accepted_also_elsewhere(model):
    assert check_exported_model(str(model)) == exported_models.SPACE


def test_sha256sum_reads_the_digests(model):
    command = ["sha256sum", "--check", "--strict", "--quiet", "assets.extra/SHA256SUMS"]
    subprocess.run(command, cwd=model, check=True)


def test_one_flipped_bit_anywhere_in_any_file_is_found(model):
    files = [path for path in model.rglob("*") if path.is_file()]
    assert {"saved_model.pb", "variables.index", "SHA256SUMS", "sid_space.json"} <= {
        path.name for path in files
    }
    for file in files:
        for position in (0, file.stat().st_size // 2, -1):
            exported_models.flip_bit(file, position)
            with pytest.raises(DamagedModelError, match="is not as it was exported"):
                check_file_digests(str(model))
            exported_models.flip_bit(file, position)
    check_file_digests(str(model))


def test_the_changed_file_is_named(model):
    exported_models.flip_bit(model / "variables" / "variables.data-00000-of-00001", 7)
    refused(model, r"variables/variables\.data-00000-of-00001 is not as it was exported")


def test_a_missing_and_a_new_file_are_found(model):
    (model / "fingerprint.pb").unlink(missing_ok=True)
    (model / "assets.extra" / "sid_space.json").rename(model / "elsewhere")
    refused(model, "is not as it was exported")
    shutil.rmtree(model / "assets.extra")
    refused(model, "has no assets.extra/SHA256SUMS, which every exported model has")


def test_a_model_that_does_not_load_is_refused(model):
    (model / "saved_model.pb").write_bytes(b"not a model")
    write_file_digests(str(model))
    refused(model, "does not load and answer: ")


def test_a_signature_without_a_request_is_refused(model):
    requests = model / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(requests)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(requests)) as writer:
        for record in records:
            if b"score" not in record:
                writer.write(record)
    write_file_digests(str(model))
    refused(model, "signature score has no warm-up request")


def test_other_codes_than_at_the_export_are_refused(model):
    path = model / "assets.extra" / "encoded.npz"
    with np.load(path) as exported:
        arrays = dict(exported)
    arrays["sid"][1, 1] += 1
    np.savez(path, **arrays)
    write_file_digests(str(model))
    refused(model, r"encode gives 50% of the items in encoded\.npz other codes than at the export")


def test_scores_that_are_not_finite_are_refused(tmp_path):
    model = exported_models.export(tmp_path / "model", factor=float("nan"))
    os.remove(f"{model}/assets.extra/encoded.npz")
    write_file_digests(model)
    refused(model, "signature score gives a click that is not finite for its warm-up request")


def test_another_space_than_the_one_named_is_refused(tmp_path):
    model = exported_models.export(tmp_path / "model", info="0123456789abcdef")
    refused(model, r"info names SID space 0123456789abcdef, sid_space\.json abcdefabcdefabcd")


def test_the_rqvae_is_exported_with_what_the_check_reads(tmp_path):
    config = RqVaeConfig(levels=2, codebook_size=4, latent_dim=3)
    rqvae = RqVae(config, np.full(6, 2.0), np.full(6, 3.0))
    rqvae.codebooks.assign(list(np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)))
    model = str(tmp_path / "model")
    export_rqvae(rqvae, model)
    assert check_exported_model(model) == rqvae.space
    with np.load(f"{model}/assets.extra/encoded.npz") as exported:
        assert exported["embedding"].shape == (64, 6)
        # As spread as the items.
        np.testing.assert_allclose(exported["embedding"].mean(), 2.0, atol=0.5)
        np.testing.assert_allclose(exported["embedding"].std(), 3.0, atol=0.5)
        codes = rqvae.encode(tf.constant(exported["embedding"]))
        np.testing.assert_array_equal(exported["sid"], codes)
