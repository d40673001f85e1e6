"""Semantic IDs of content embeddings, without a pipeline around them."""

import os
import shutil
import tempfile
import weakref
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras  # noqa: F401  TensorFlow loads it at the first use of tf.keras, which comes later.
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.sid_space import load_codebooks
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.contracts.signatures import require_encoder
from semantic_id_ranking.contracts.version_folders import latest_saved_model
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.semantic_id_report import Sample
from semantic_id_ranking.trainer.rqvae.semantic_id_report import SemanticIdReport
from semantic_id_ranking.trainer.rqvae.train_and_export import train_and_export
from semantic_id_ranking.trainer.rqvae.train_and_export import VALIDATION_SHARE

# Rows that a signature is called with at once.
_BATCH = 65_536


class SemanticIds:
    """An RQ-VAE: content embeddings to Semantic IDs and back.

    It is the SavedModel that the pipeline's Trainer exports: what encodes here encodes in
    `sid encode` and in TensorFlow Serving, to the same codes.

    >>> embeddings = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    >>> semantic_ids = SemanticIds.fit(embeddings, levels=3, codebook_size=16, epochs=2)
    >>> sids = semantic_ids.encode(embeddings)
    >>> sids.shape, sids.dtype, int(sids.max()) < 16
    ((200, 3), dtype('int32'), True)
    >>> semantic_ids.decode(sids).shape
    (200, 8)

    Attributes:
        space: The SID space, which says how many codes there are and has the fingerprint.

    Reference: Singh et al., "Better Generalization with Semantic IDs" (arXiv 2306.08121).
    """

    def __init__(self, directory: str):
        """Opens a SavedModel; see `load`, which checks it."""
        self._directory = directory
        self.space = SidSpace.load(self._extra)
        # A signature does not keep its model's variables alive.
        self._model = tf.saved_model.load(directory)

    @classmethod
    def fit(
        cls, embeddings: ArrayLike, config: RqVaeConfig | None = None, **fields: Any
    ) -> "SemanticIds":
        """Trains an RQ-VAE, as the pipeline does.

        One item in twenty decides when training stops.

        Args:
            embeddings: Floats [N, D], the content embeddings of the items, all finite.
            config: The recipe.
            **fields: Fields of `RqVaeConfig`, instead of one: `levels=4`, `codebook_size=256`.

        Raises:
            ValueError: `embeddings` has another shape, or a number that is not finite; or a field
                is wrong.
        """
        if config is not None and fields:
            raise InputError(f"give a config or {', '.join(sorted(fields))}, not both")
        config = config or RqVaeConfig(**fields)
        if not isinstance(config, RqVaeConfig):
            raise InputError(f"config must be a RqVaeConfig, not of type {type(config).__name__}")
        rows = _floats(embeddings)
        if rows.ndim != 2 or not rows.size:
            raise InputError(f"embeddings must be [N, D], not of shape {list(rows.shape)}")
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            raise InputError(
                f"embeddings: row {np.argmin(finite)} holds a number that is not finite; leave it "
                "out"
            )
        if len(rows) > config.max_items:
            rng = np.random.default_rng(config.seed)
            rows = rows[rng.choice(len(rows), config.max_items, replace=False)]
        held_out = np.arange(len(rows)) % VALIDATION_SHARE == 0
        folder = tempfile.mkdtemp(prefix="semantic_id-")
        try:
            directory = os.path.join(folder, "model")
            train_and_export(rows, held_out, config, directory)
            fitted = cls(directory)
        except BaseException:
            shutil.rmtree(folder)
            raise
        # `save` copies it.
        weakref.finalize(fitted, shutil.rmtree, folder, ignore_errors=True)
        return fitted

    @property
    def fingerprint(self) -> str:
        """Tells this SID space from all others; 16 hexadecimal digits."""
        return self.space.fingerprint

    @property
    def levels(self) -> int:
        """Codes in a Semantic ID (L)."""
        return self.space.levels

    @property
    def codebook_size(self) -> int:
        """Codes at each level (K)."""
        return self.space.codebook_size

    @property
    def codebooks(self) -> NDArray[np.float32] | None:
        """float32 [L, K, m], what each code adds to an item's position in the latent space."""
        return load_codebooks(self._extra)

    def encode(self, embeddings: ArrayLike) -> NDArray[np.int32]:
        """Semantic IDs of content embeddings.

        Args:
            embeddings: Floats [n, D].

        Returns:
            int32 [n, L]; -1 for an embedding with a number that is not finite.

        Raises:
            ValueError: `embeddings` has another shape.
        """
        embeddings = _floats(embeddings)
        self._require_shape("embeddings", embeddings, self.space.embedding_dim)
        signature = self._model.signatures["encode"]
        parts = [
            signature(embedding=tf.constant(part))["sid"].numpy() for part in _batches(embeddings)
        ]
        return np.concatenate(parts)

    def decode(self, sids: ArrayLike) -> NDArray[np.float32]:
        """Content embeddings that Semantic IDs stand for.

        Args:
            sids: Integers [n, L].

        Returns:
            float32 [n, D]; NaN for an absent item, one with a code outside 0 .. K-1.

        Raises:
            ValueError: `sids` has another shape.
        """
        sids = np.asarray(sids)
        self._require_shape("sids", sids, self.levels)
        if sids.size and not np.issubdtype(sids.dtype, np.integer):
            raise InputError(f"sids must be integers, not of type {sids.dtype}")
        present = ((sids >= 0) & (sids < self.codebook_size)).all(axis=1)
        known = np.where(present[:, None], sids, 0).astype(np.int32)
        signature = self._model.signatures["decode"]
        parts = [signature(sid=tf.constant(part))["embedding"].numpy() for part in _batches(known)]
        return np.where(present[:, None], np.concatenate(parts), np.float32(np.nan))

    def report(self, embeddings: ArrayLike) -> SemanticIdReport:
        """The report on the Semantic IDs of some items, as the component SidAnalyzer makes it.

        Args:
            embeddings: Floats [n, D]; those with a number that is not finite are left out.

        Returns:
            The report; the items count as training items.

        Raises:
            ValueError: `embeddings` has another shape, or no finite row.
        """
        embeddings = _floats(embeddings)
        sids = self.encode(embeddings)
        finite = sids[:, 0] >= 0
        if not finite.any():
            raise InputError("embeddings: no row is finite, so there is nothing to report on")
        embeddings, sids = embeddings[finite], sids[finite]
        sample = Sample(embeddings, sids, self.decode(sids))
        return SemanticIdReport.measure(self.space, sids, sample)

    def save(self, directory: str) -> None:
        """Writes the SavedModel, in the layout that the pipeline's Trainer exports.

        `sid encode --model`, `encode_parquet` and `load` read it; as a numbered folder,
        `semantic_id/1`, so do TensorFlow Serving and `sid serve`.

        Args:
            directory: Made; must not exist, or be empty.

        Raises:
            ValueError: There is something in the directory.
        """
        directory = os.path.abspath(directory)
        if os.path.exists(directory) and (os.path.isfile(directory) or os.listdir(directory)):
            raise InputError(f"{directory}: is not empty; save into a new folder")
        parent = os.path.dirname(directory)
        os.makedirs(parent, exist_ok=True)
        # It appears whole, by a rename: a model server may be waiting for it.
        with tempfile.TemporaryDirectory(dir=parent, prefix=".semantic_id-") as folder:
            copy = shutil.copytree(self._directory, os.path.join(folder, "model"))
            os.replace(copy, directory)

    @classmethod
    def load(cls, directory: str) -> "SemanticIds":
        """Opens what `save` or the pipeline wrote; keep the folder as long as this is in use.

        Args:
            directory: The SavedModel, or its base folder, whose latest version is taken.

        Raises:
            ValueError: There is no such model, or it is damaged.
        """
        directory = latest_saved_model(directory)
        require_encoder(directory)
        check_file_digests(directory)
        return cls(directory)

    @property
    def _extra(self) -> str:
        return os.path.join(self._directory, "assets.extra")

    @staticmethod
    def _require_shape(name: str, array: NDArray[Any], columns: int | None) -> None:
        if array.ndim != 2 or array.shape[1] != columns:
            raise InputError(f"{name} must be [n, {columns}], not {list(array.shape)}")


def _floats(embeddings: ArrayLike) -> NDArray[np.float32]:
    """Embeddings as float32.

    Raises:
        ValueError: They are no numbers, or rows of several lengths.
    """
    try:
        given = np.asarray(embeddings)
        # NumPy would read the numbers in texts.
        if given.dtype.kind not in "SUMmc":
            return given.astype(np.float32)
        kind = f"of type {given.dtype}"
    except (TypeError, ValueError):
        kind = f"a {type(embeddings).__name__} of something else, or of rows of several lengths"
    raise InputError(f"embeddings must be numbers in one array [n, D], not {kind}")


def _batches(rows: NDArray[Any]) -> list[NDArray[Any]]:
    """Slices of rows; one even of no rows, so that the results have their width."""
    return [rows[start : start + _BATCH] for start in range(0, max(len(rows), 1), _BATCH)]
