"""SemanticIds: the RQ-VAE as a library, by the code and the files of the pipeline."""

import numpy as np
import pytest

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import DamagedModelError
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.exported_model import check_exported_model
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.semantic_ids import SemanticIds

ITEMS, DIM, LEVELS, CODES = 600, 6, 3, 8
CONFIG = RqVaeConfig(levels=LEVELS, codebook_size=CODES, epochs=2, batch_size=64)


@pytest.fixture(scope="module")
def embeddings():
    return np.random.default_rng(0).normal(size=(ITEMS, DIM)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(embeddings):
    return SemanticIds.fit(embeddings, CONFIG)


def test_codes_are_the_nearest_level_by_level(fitted, embeddings):
    # The encoder is linear: its map is what decoding undoes on average, so read it off the model.
    model = fitted._model
    residual = (embeddings - model.mean.numpy()) / model.scale.numpy()
    residual = residual @ model.encoder.kernel.numpy() + model.encoder.bias.numpy()
    expected = []
    for codebook in fitted.codebooks:
        distance = np.square(residual[:, None] - codebook[None]).sum(axis=2)
        expected.append(distance.argmin(axis=1))
        residual = residual - codebook[expected[-1]]
    sids = fitted.encode(embeddings)
    assert sids.dtype == np.int32
    assert (sids == np.stack(expected, axis=1)).mean() > 0.999
    decoded = fitted.decode(sids)
    latents = sum(codebook[codes] for codebook, codes in zip(fitted.codebooks, sids.T, strict=True))
    by_hand = latents @ model.decoder.kernel.numpy() + model.decoder.bias.numpy()
    by_hand = by_hand * model.scale.numpy() + model.mean.numpy()
    np.testing.assert_allclose(decoded, by_hand, rtol=1e-4, atol=1e-5)


def test_what_is_not_finite_is_absent_in_encoding_and_decoding(fitted, embeddings):
    rows = embeddings[:4].copy()
    rows[1, 2], rows[3, 0] = np.nan, np.inf
    sids = fitted.encode(rows)
    assert sids[[1, 3]].tolist() == [[-1] * LEVELS] * 2
    np.testing.assert_array_equal(sids[[0, 2]], fitted.encode(embeddings[[0, 2]]))
    decoded = fitted.decode(sids)
    assert np.isnan(decoded).all(axis=1).tolist() == [False, True, False, True]
    assert fitted.encode(rows[:0]).shape == (0, LEVELS)
    assert fitted.decode(sids[:0]).shape == (0, DIM)


def test_what_is_saved_is_what_the_pipeline_exports(fitted, embeddings, tmp_path):
    base = tmp_path / "semantic_id"
    fitted.save(str(base / "1"))
    assert check_exported_model(str(base / "1")) == fitted.space
    loaded = SemanticIds.load(str(base))
    np.testing.assert_array_equal(loaded.encode(embeddings), fitted.encode(embeddings))
    assert (loaded.fingerprint, loaded.levels, loaded.codebook_size) == (
        fitted.fingerprint,
        LEVELS,
        CODES,
    )
    loaded.save(str(tmp_path / "again"))
    assert check_exported_model(str(tmp_path / "again")) == fitted.space
    with pytest.raises(InputError, match="again: is not empty"):
        fitted.save(str(tmp_path / "again"))
    (base / "1" / "variables" / "variables.index").write_bytes(b"x")
    with pytest.raises(DamagedModelError, match=r"variables.index is not as it was exported"):
        SemanticIds.load(str(base))


def test_encode_parquet_takes_it(fitted, embeddings, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from semantic_id_ranking.encoding.batch import encode_parquet

    fitted.save(str(tmp_path / "semantic_id" / "7"))
    ids = [f"i{i}" for i in range(ITEMS)]
    pq.write_table(
        pa.table({"item_id": ids, "embedding": embeddings.tolist()}), tmp_path / "items.parquet"
    )
    items, output = str(tmp_path / "items.parquet"), str(tmp_path / "sids")
    encoded = encode_parquet(items, str(tmp_path / "semantic_id"), output)
    assert (encoded.encoded, encoded.space) == (ITEMS, fitted.space)
    found, sids, _ = sid_table.read(output)
    order = np.argsort([int(item[1:]) for item in found])
    np.testing.assert_array_equal(sids[order], fitted.encode(embeddings))


def test_the_same_items_have_the_same_space(fitted, embeddings):
    again = SemanticIds.fit(embeddings, levels=LEVELS, codebook_size=CODES, epochs=2, batch_size=64)
    assert again.fingerprint == fitted.fingerprint


def test_the_report_counts_what_is_there(fitted, embeddings):
    rows = np.concatenate([embeddings, np.full((1, DIM), np.nan, np.float32)])
    report = fitted.report(rows)
    sids = fitted.encode(embeddings)
    _, counts = np.unique(sids, axis=0, return_counts=True)
    assert report.items == ITEMS
    assert report.unique_fraction == pytest.approx((counts == 1).sum() / ITEMS)
    assert report.codebook_use == [len(set(level)) / CODES for level in sids.T]
    error = np.square(embeddings - fitted.decode(sids)).sum()
    spread = np.square(embeddings - embeddings.mean(axis=0)).sum()
    assert report.reconstruction == pytest.approx(error / spread, rel=1e-4)
    assert [one.prefix for one in report.prefixes] == [1, 2, 3]


def test_bad_input_is_named(fitted, embeddings):
    bad = embeddings.copy()
    bad[17, 2] = np.inf
    for given, message in (
        (bad, "embeddings: row 17 holds a number that is not finite"),
        (embeddings[0], r"embeddings must be \[N, D\], not of shape \[6\]"),
    ):
        with pytest.raises(InputError, match=message):
            SemanticIds.fit(given)
    with pytest.raises(InputError, match="give a config or levels, not both"):
        SemanticIds.fit(embeddings, CONFIG, levels=2)
    with pytest.raises(InputError, match=r"embeddings must be \[n, 6\], not \[600, 5\]"):
        fitted.encode(embeddings[:, :5])
    with pytest.raises(InputError, match=r"sids must be \[n, 3\], not \[1, 2\]"):
        fitted.decode([[0, 1]])
    with pytest.raises(InputError, match="no row is finite"):
        fitted.report(np.full((2, DIM), np.nan))
