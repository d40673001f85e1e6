"""The item representations as a layer of any Keras 2 model."""

import base64
import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tf_keras

from semantic_id_ranking._compat import in_keras_3_call
from semantic_id_ranking._compat import keep_autograph_out_of_keras
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.ranker.representations import DEFAULT
from semantic_id_ranking.trainer.ranker.representations import parse_representation
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig
from semantic_id_ranking.trainer.tokenizer.pack import pack
from semantic_id_ranking.trainer.tokenizer.pack import unpack
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

_DTYPES = {"sid": tf.int64, "item_id": tf.string, "embedding": tf.float32}


@tf_keras.saving.register_keras_serializable("semantic_id_ranking")
class ItemEmbedding(tf_keras.layers.Layer):
    """Turns what identifies items into vectors, by one of the item representations.

    The layer is saved with its model, as `.keras` and as a SavedModel, and needs no file beside it.

    >>> from semantic_id_ranking.contracts.sid_space import SidSpace
    >>> space = SidSpace("0123456789abcdef", levels=2, codebook_size=4)
    >>> sids = [[0, 1], [2, 3], [1, 1]]
    >>> tokenizer = SidTokenizer.fit(sids, [50, 2, 2], space, rows=10)
    >>> item = ItemEmbedding("sid_spm", tokenizer, dim=32)
    >>> item([[0, 1], [2, 3]]).shape
    TensorShape([2, 32])

    Args:
        representation: One of the representations' configurations, or its name.
        tokenizer: The SID tokenizer, which knows what the representation needs.
        dim: Width of an item's vector (d).
        **kwargs: Of the Keras layer, such as `name`.

    Raises:
        ValueError: The representation and the tokenizer do not fit.
    """

    def __init__(
        self,
        representation: RepresentationConfig | str,
        tokenizer: SidTokenizer,
        dim: int = 32,
        **kwargs: Any,
    ):
        # Of the user's model: its first fit would take minutes.
        keep_autograph_out_of_keras()
        super().__init__(**{"dtype": "float32", **kwargs})
        if isinstance(representation, str):
            if representation not in REGISTRY:
                raise InputError(
                    f"representation {representation!r} is unknown; it is one of "
                    f"{', '.join(REGISTRY)}"
                )
            representation = parse_representation({"name": representation})
        if not isinstance(representation, RepresentationConfig):
            raise InputError(
                f"representation: {representation!r} is not allowed; give the configuration of a "
                f"representation, such as {DEFAULT!r}, or its name, such as {DEFAULT.name!r}"
            )
        if not isinstance(tokenizer, SidTokenizer):
            raise InputError(
                f"tokenizer must be a SidTokenizer, not of type {type(tokenizer).__name__}"
            )
        if not isinstance(dim, int) or dim < 1:
            raise InputError(f"dim: {dim!r} is not allowed; give a width of 1 or more")
        if representation.separate_tables:
            raise InputError("separate_tables has no meaning in one layer; make one a role")
        self.representation = representation
        self.tokenizer = tokenizer
        self.dim = dim
        self._item = representation.create(dim, tokenizer)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are read of an item: of `sid`, `item_id` and `embedding`."""
        return self._item.fields

    @property
    def table_rows(self) -> int:
        """Rows of all embedding tables together."""
        return self._item.table_rows

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer.

        Raises:
            TypeError: Keras 3 calls it, which would not see its weights.
        """
        _refuse_keras_3(args, kwargs)
        return super().__call__(*args, **kwargs)

    def build(self, input_shape: object) -> None:
        """Makes all weights, whatever the shape."""
        absent = {
            "sid": tf.fill([1, self.tokenizer.space.levels], tf.constant(-1, tf.int64)),
            "item_id": tf.constant([""]),
            "embedding": tf.zeros([1, self.tokenizer.space.embedding_dim or 1]),
        }
        with tf.init_scope():
            self._item({field: absent[field] for field in self.fields})
        # A SavedModel keeps the training step too, and has to find what that reads.
        self._derived = _NoWeights(self._item.derived_variables)
        super().build(input_shape)

    def call(
        self, items: tf.Tensor | Mapping[str, tf.Tensor], training: bool | None = None
    ) -> tf.Tensor:
        """Vectors of items.

        Args:
            items: The field that the representation reads: Semantic IDs, integers [..., L]; item
                ids, strings [...]; or content embeddings, floats [..., D]. Where it reads several,
                a dictionary of `sid`, `item_id`, `embedding`.
            training: Whether this is a training step.

        Returns:
            float32 [..., d]; zero for an absent item: one with a code outside 0 .. K-1, an empty
            id, an embedding of zeros.
        """
        features = self._features(items)
        vectors = self._item(features, training=bool(training)).all()
        leading = features[self.fields[0]].shape
        leading = leading if self.fields[0] == "item_id" else leading[:-1]
        return tf.ensure_shape(vectors, leading.concatenate(self.dim))

    def get_config(self) -> dict[str, Any]:
        """All that the layer is made of, the tokenizer included."""
        return {
            **super().get_config(),
            "representation": dataclasses.asdict(self.representation),
            "tokenizer": base64.b64encode(pack(self.tokenizer)).decode(),
            "dim": self.dim,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ItemEmbedding":
        """Makes the layer of what `get_config` gave."""
        config = dict(config)
        representation = parse_representation(config.pop("representation"))
        tokenizer = unpack(base64.b64decode(config.pop("tokenizer")))
        return cls(representation, tokenizer, **config)

    def _features(self, items: tf.Tensor | Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        if not isinstance(items, Mapping):
            if len(self.fields) > 1:
                raise InputError(
                    f"{self.representation.name} reads {' and '.join(self.fields)} of an item; "
                    "give a dictionary of them"
                )
            items = {self.fields[0]: items}
        if missing := [field for field in self.fields if field not in items]:
            raise InputError(
                f"{self.representation.name} reads {' and '.join(self.fields)} of an item, but "
                f"{missing[0]} is missing"
            )
        return {field: self._feature(field, items[field]) for field in self.fields}

    def _feature(self, field: str, values: tf.Tensor) -> tf.Tensor:
        values = tf.convert_to_tensor(values)
        kinds = {"sid": "integers", "item_id": "strings", "embedding": "floats"}
        is_kind = {
            "sid": values.dtype.is_integer,
            "item_id": values.dtype == tf.string,
            "embedding": values.dtype.is_floating,
        }
        if not is_kind[field]:
            raise InputError(f"{field} must be {kinds[field]}, not {values.dtype.name}")
        widths = {
            "sid": self.tokenizer.space.levels,
            "embedding": self.tokenizer.space.embedding_dim,
        }
        if field in widths and (not values.shape.rank or values.shape[-1] != widths[field]):
            raise InputError(
                f"{field} must be [..., {widths[field]}], not of shape {list(values.shape)}"
            )
        return tf.cast(values, _DTYPES[field]) if field != "item_id" else values


class _NoWeights(tf.Module):
    """Holds variables that a SavedModel has to find, without making them weights of a layer."""

    variables = trainable_variables = non_trainable_variables = ()

    def __init__(self, held: list[tf.Variable]):
        super().__init__()
        self.held = held


def _refuse_keras_3(*arguments: Any) -> None:
    """Refuses a call by Keras 3, which neither trains nor saves what a Keras 2 layer holds."""
    keras = sys.modules.get("keras")
    if keras is None or not keras.__version__.startswith("3"):
        return
    tensors = tf.nest.flatten(arguments)
    if any(isinstance(tensor, keras.KerasTensor) for tensor in tensors) or in_keras_3_call():
        raise TypeError(
            "ItemEmbedding is a layer of Keras 2 (tf_keras), whose weights a Keras 3 model would "
            "neither train nor save; build the model with tf_keras, or sum rows of a Keras 3 "
            "Embedding at SidTokenizer.rows"
        )
