"""The SID tokenizer, and the train-split data of representations."""

import dataclasses
import functools
import json
import os
import sys
from typing import Any
from typing import TYPE_CHECKING

import numpy as np
import sentencepiece
from numpy.typing import ArrayLike
from numpy.typing import NDArray
from sentencepiece import sentencepiece_model_pb2

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import CODEBOOKS_FILE
from semantic_id_ranking.contracts.sid_space import load_codebooks
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.impressed_items import FILE_NAME as IMPRESSED_ITEMS_FILE
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from semantic_id_ranking.trainer.tokenizer.sid_text import sids_to_text
from semantic_id_ranking.trainer.tokenizer.sid_text import SPECIAL_PIECES
from semantic_id_ranking.trainer.tokenizer.sid_text import text_to_codes
from semantic_id_ranking.trainer.tokenizer.train import impressed_texts
from semantic_id_ranking.trainer.tokenizer.train import train_tokenizer

if TYPE_CHECKING:
    import tensorflow as tf

    from semantic_id_ranking.trainer.rqvae.semantic_ids import SemanticIds

MODEL_FILE = "spm.model"
STATISTICS_FILE = "tokenizer.json"
ASSETS_EXTRA = "assets.extra"

_NO_PIECE = -1


@dataclasses.dataclass(frozen=True, eq=False)
class SidTokenizer:
    """Tokenizes Semantic IDs into pieces, each of which is a row of an embedding table.

    Frequent code sequences are one piece, which memorises; rare ones fall back to pieces of single
    codes, which generalise, so that any Semantic ID can be tokenized. It holds all that any item
    representation needs besides its configuration.

    >>> from semantic_id_ranking.contracts.sid_space import SidSpace
    >>> sids = [[0, 1], [2, 3], [1, 1]]
    >>> space = SidSpace("0123456789abcdef", levels=2, codebook_size=4)
    >>> tokenizer = SidTokenizer.fit(sids, counts=[50, 2, 2], semantic_ids=space, rows=10)
    >>> tokenizer.encode([[0, 1], [2, 3]])
    [[(0, 1)], [(2,), (3,)]]
    >>> (tokenizer.rows([[0, 1], [2, 3], [-1, -1]]) >= 0).sum(axis=1).tolist()
    [1, 2, 0]

    Attributes:
        space: The SID space of all Semantic IDs.
        model: SentencePiece's serialized model, or None where no tokenizer was trained.
        items: The items with impressions in the train split, or None where they are not known.
        codebooks: float32 [L, K, m], what each code adds to an item's position in the RQ-VAE's
            latent space; or None where they are not known.
        added: Items that a ranker saw first after the tokenizer was trained, with their impressions
            of then; a saved tokenizer has none.

    Reference: Singh et al., "Better Generalization with Semantic IDs" (arXiv 2306.08121), SPM.
    """

    space: SidSpace
    model: bytes | None = None
    items: ImpressedItems | None = None
    codebooks: NDArray[Any] | None = None
    added: ImpressedItems | None = None

    @classmethod
    def fit(
        cls,
        sids: ArrayLike,
        counts: ArrayLike,
        semantic_ids: "SemanticIds | SidSpace",
        rows: int = 4096,
        item_ids: NDArray[Any] | None = None,
        codebooks: NDArray[Any] | None = None,
        config: TokenizerConfig | None = None,
    ) -> "SidTokenizer":
        """Trains a tokenizer on the items of the train split.

        Args:
            sids: Integers [N, L], the items' Semantic IDs. Items may share one.
            counts: Integers [N], the impressions of each item in the train split, 0 or more.
            semantic_ids: What made the Semantic IDs; or their space alone.
            rows: Pieces, at most, which is also the rows of an embedding table; at least
                levels x codebook_size + 1.
            item_ids: Strings, bytes or integers [N]; only `individual_id` needs them.
            codebooks: float32 [L, K, m], of the RQ-VAE, where `semantic_ids` is a space; only
                `sid_hybrid` needs them.
            config: SentencePiece's algorithm and the longest piece.

        Raises:
            ValueError: `rows` is too small for all codes, no item has an impression, or an argument
                has the wrong shape or range.
        """
        if isinstance(semantic_ids, SidSpace):
            space = semantic_ids
        elif isinstance(getattr(semantic_ids, "space", None), SidSpace):
            space, codebooks = semantic_ids.space, semantic_ids.codebooks
        else:
            kind = type(semantic_ids).__name__
            raise InputError(f"semantic_ids must be SemanticIds or a SidSpace, not a {kind}")
        sids, counts = np.asarray(sids), np.asarray(counts)
        model = train_tokenizer(sids, counts, rows, config or TokenizerConfig(), space)
        if item_ids is not None and len(item_ids) != len(sids):
            raise InputError(f"item_ids must be [{len(sids)}], one an item, not [{len(item_ids)}]")
        items = ImpressedItems.select(item_ids, sids, counts)
        return cls(space, model, items, codebooks)

    @property
    def table_rows(self) -> int:
        """Pieces, and so rows of an embedding table that has one a piece."""
        return self._processor.get_piece_size()

    def pieces(self) -> list[str]:
        """The pieces' texts, by row; see `sid_text`."""
        return [self._processor.id_to_piece(row) for row in range(self.table_rows)]

    def encode(self, sids: ArrayLike) -> list[list[tuple[int, ...]]]:
        """Pieces of Semantic IDs.

        Args:
            sids: Integers [n, L]; an item with a code outside 0 .. K-1 is absent.

        Returns:
            Of each Semantic ID its pieces, each of them a tuple of codes; joined, they are the
            Semantic ID. An absent item has none.

        Raises:
            ValueError: `sids` has another shape, or no tokenizer was trained.
        """
        sids, present = self._checked(sids)
        if sids.ndim != 2:
            raise InputError(f"sids must be [n, {self.space.levels}], not {list(sids.shape)}")
        pieces: list[list[tuple[int, ...]]] = [[] for _ in sids]
        tokenized = self._processor.encode(self._texts(sids[present]), out_type=str)
        for item, texts in zip(np.flatnonzero(present), tokenized, strict=True):
            pieces[item] = [self._codes(text) for text in texts]
        return pieces

    def rows(self, sids: "NDArray[Any] | tf.Tensor") -> "NDArray[Any] | tf.Tensor":
        """Rows of the pieces of Semantic IDs, for an embedding table of any framework.

        An item's vector is the sum of its rows of a table of `table_rows` rows; -1 counts for
        nothing.

        Args:
            sids: Integers [..., L], an array, or a tensor of TensorFlow, also inside a tf.function
                or tf.data; an item with a code outside 0 .. K-1 is absent.

        Returns:
            int32 [..., L] of the same kind, in 0 .. table_rows-1; -1 behind an item's last piece
            and for all of an absent item.

        Raises:
            ValueError: `sids` has another shape, or no tokenizer was trained.
        """
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is not None and tensorflow.is_tensor(sids):
            return self._rows_of_tensor(sids)
        sids, present = self._checked(sids)
        rows = np.full(sids.shape, _NO_PIECE, np.int32)
        # Items return many times in impressions.
        distinct, inverse = np.unique(sids[present], axis=0, return_inverse=True)
        tokenized = self._processor.encode(self._texts(distinct))
        padded = np.full(distinct.shape, _NO_PIECE, np.int32)
        for item, pieces in enumerate(tokenized):
            padded[item, : len(pieces)] = pieces
        rows[present] = padded[inverse.reshape(-1)]
        return rows

    def statistics(self) -> dict[str, int | float | str]:
        """Statistics of the tokenizer.

        Returns:
            `pieces`; `multi_code_pieces`; `mean_pieces_per_impression` of the train split; and
            `model`, "unigram" or "bpe".

        Raises:
            ValueError: No tokenizer was trained, or the items are not known.
        """
        processor, items = self._processor, self.require_items()
        pieces = self.pieces()[SPECIAL_PIECES:]
        texts, counts = impressed_texts(items.sids, items.impressions, self.space)
        lengths = np.array([len(tokenized) for tokenized in processor.encode(texts)])
        spec = sentencepiece_model_pb2.ModelProto.FromString(self.require_model()).trainer_spec
        return {
            "pieces": self.table_rows,
            "multi_code_pieces": sum(len(piece) > 1 for piece in pieces),
            "mean_pieces_per_impression": float(lengths @ counts / counts.sum()),
            "model": spec.ModelType.Name(spec.model_type).lower(),
        }

    def save(self, directory: str) -> None:
        """Writes a tokenizer directory, in the layout of the component SidTokenizerTrainer.

        Args:
            directory: Where `spm.model`, `tokenizer.json` (the statistics), `impressed_items.npz`,
                `assets.extra/sid_space.json` and, where they are known,
                `assets.extra/codebooks.npy` go; made if need be.

        Raises:
            ValueError: No tokenizer was trained, or the items are not known.
        """
        statistics = self.statistics()
        extra = os.path.join(directory, ASSETS_EXTRA)
        self.space.save(extra)
        with open(os.path.join(directory, MODEL_FILE), "wb") as file:
            file.write(self.require_model())
        with open(os.path.join(directory, STATISTICS_FILE), "w", encoding="utf-8") as file:
            json.dump(statistics, file)
        self.require_items().save(directory)
        if self.codebooks is not None:
            np.save(os.path.join(extra, CODEBOOKS_FILE), self.codebooks)

    @classmethod
    def load(cls, directory: str) -> "SidTokenizer":
        """Reads a tokenizer directory, which may lack the items and the codebooks.

        Args:
            directory: What `save` or the component SidTokenizerTrainer wrote.

        Raises:
            FileNotFoundError: The directory lacks one of its other files.
        """
        with open(os.path.join(directory, MODEL_FILE), "rb") as file:
            model = file.read()
        items = os.path.exists(os.path.join(directory, IMPRESSED_ITEMS_FILE))
        extra = os.path.join(directory, ASSETS_EXTRA)
        return cls(
            SidSpace.load(extra),
            model,
            ImpressedItems.load(directory) if items else None,
            load_codebooks(extra),
        )

    def require_items(self) -> ImpressedItems:
        """The items of the train split.

        Raises:
            ValueError: They are not known.
        """
        if self.items is None:
            raise ValueError("a vocabulary of items needs the items of the train split")
        return self.items

    def require_codebooks(self) -> NDArray[Any]:
        """The codebooks.

        Raises:
            ValueError: They are not known.
        """
        if self.codebooks is None:
            raise ValueError("the content of Semantic IDs needs the codebooks of the RQ-VAE")
        return self.codebooks

    def require_model(self) -> bytes:
        """The serialized SentencePiece model.

        Raises:
            ValueError: No tokenizer was trained.
        """
        if self.model is None:
            raise ValueError("pieces of Semantic IDs need a trained SID tokenizer")
        return self.model

    @functools.cached_property
    def _processor(self) -> sentencepiece.SentencePieceProcessor:
        return sentencepiece.SentencePieceProcessor(model_proto=self.require_model())

    def _checked(self, sids: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Semantic IDs as an array [..., L], and which of the items there are, bool [...]."""
        sids = np.asarray(sids)
        self._check(sids.shape, np.issubdtype(sids.dtype, np.integer) or not sids.size)
        return sids, ((sids >= 0) & (sids < self.space.codebook_size)).all(axis=-1)

    def _check(self, shape: tuple[int | None, ...], integers: bool) -> None:
        if not shape or shape[-1] not in (self.space.levels, None):
            raise InputError(
                f"sids must be [..., {self.space.levels}], as many codes as the SID space has "
                f"levels, not of shape {list(shape)}"
            )
        if not integers:
            raise InputError("sids must be integers")

    def _texts(self, sids: NDArray[Any]) -> list[str]:
        return sids_to_text(sids, self.space.codebook_size)

    def _codes(self, piece: str) -> tuple[int, ...]:
        return tuple(code for _, code in text_to_codes(piece, self.space.codebook_size))

    def _rows_of_tensor(self, sids: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        from semantic_id_ranking.trainer.tokenizer.piece_rows import piece_rows

        self._check(tuple(sids.shape), sids.dtype.is_integer)
        flat = tf.reshape(sids, [-1, self.space.levels])
        present = tf.reduce_all((flat >= 0) & (flat < self.space.codebook_size), axis=1)
        flat = tf.where(present[:, None], tf.cast(flat, tf.int32), _NO_PIECE)
        rows = tf.cast(piece_rows(self.require_model(), self.space, flat), tf.int32)
        return tf.ensure_shape(tf.reshape(rows, tf.shape(sids)), sids.shape)
