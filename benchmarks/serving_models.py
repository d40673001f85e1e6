"""Rankers and an encoder in a model server's folders, and requests for them."""

import dataclasses
import functools
import os
import tempfile
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata
from tensorflow_transform.tf_metadata import metadata_io
from tensorflow_transform.tf_metadata import schema_utils

from benchmarks.ranker_world import RankerWorld
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.preprocessing import preprocessing_fn
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig

CONTEXT = {"tab": "home", "hour": 12.0}
"""The context of every request."""

SID_INPUTS = (
    "candidate_sid",
    "current_sid",
    "history_sid",
    *(f"context_{column}" for column in CONTEXT),
)
"""Inputs of the signature `rank` of a ranker that sees items by their Semantic IDs."""

_COLUMNS = {"categorical": ["tab"], "numeric": ["hour"]}
_TASKS = (TaskConfig("click", "click"), TaskConfig("watch", "watch", "regression"))


@dataclasses.dataclass(frozen=True)
class RankRequest:
    """One user and the candidates: numbers of the world's items.

    Attributes:
        world: The items.
        candidates: Int [N].
        current: The item that the user looks at.
        history: Int [H].
    """

    world: RankerWorld
    candidates: np.ndarray
    current: int
    history: np.ndarray

    @classmethod
    def draw(cls, world: RankerWorld, candidates: int, seed: int) -> "RankRequest":
        """Draws different candidates at random, and the user's items by their popularity."""
        rng = np.random.default_rng(seed)
        popularity = world.counts / world.counts.sum()
        past = rng.choice(len(world.ids), world.history + 1, p=popularity)
        chosen = rng.choice(len(world.ids), candidates, replace=False)
        return cls(world, chosen, int(past[0]), past[1:])

    def arguments(self) -> dict[str, object]:
        """Arguments of `RankerClient.rank`, for any representation."""
        return {
            "candidate": self._fields(self.candidates),
            "current": self._fields(np.array([self.current])),
            "history": self._fields(self.history),
            "context": CONTEXT,
        }

    def arrays(self, aliases: Iterable[str]) -> dict[str, np.ndarray]:
        """Inputs of the signature `rank`.

        Args:
            aliases: Those that the ranker has.
        """
        arguments = self.arguments()
        arrays = {
            "context_tab": np.array([CONTEXT["tab"].encode()], object),
            "context_hour": np.array([CONTEXT["hour"]], np.float32),
        }
        for role in ("candidate", "current", "history"):
            for field, values in arguments[role].items():
                arrays[f"{role}_{field}"] = values[None] if role == "history" else values
        return {alias: arrays[alias] for alias in aliases}

    def examples(self) -> np.ndarray:
        """The same as serialized joined examples, object (bytes) [N]."""
        shared = {
            "context_tab": _bytes([CONTEXT["tab"].encode()]),
            "context_hour": tf.train.Feature(float_list=tf.train.FloatList(value=[12.0])),
            "current_sid": _integers(self.world.sids[self.current]),
            "current_item_id": _bytes([self.world.ids[self.current]]),
            "history_sid": _integers(self.world.sids[self.history].ravel()),
            "history_item_id": _bytes(self.world.ids[self.history]),
        }
        serialized = []
        for item in self.candidates:
            features = tf.train.Features(feature=shared)
            features.feature["candidate_sid"].CopyFrom(_integers(self.world.sids[item]))
            features.feature["candidate_item_id"].CopyFrom(_bytes([self.world.ids[item]]))
            serialized.append(tf.train.Example(features=features).SerializeToString())
        return np.array(serialized, object)

    def _fields(self, items: np.ndarray) -> dict[str, np.ndarray]:
        return {"sid": self.world.sids[items].astype(np.int64), "item_id": self.world.ids[items]}


class ExportableRanker:
    """An untrained ranker with a context column of each kind and a task of each kind.

    Args:
        world: The items.
        representation: How it sees them.
        config: The network.

    Attributes:
        table_rows: Rows of its tables.
        parsing_spec: How its `serving_default` reads joined examples.
    """

    def __init__(
        self, world: RankerWorld, representation: RepresentationConfig, config: RankerConfig
    ):
        self._world, self._name, self._config = world, representation.name, config
        self._layer = representation.create(config.embedding_dim, world.resources(representation))
        self.table_rows = self._layer.table_rows
        self._context = context_transform()
        self._builder = FeatureBuilder(self._layer, self._context, world.history)
        self.parsing_spec = self._builder.parsing_spec
        self.draw_weights(config.seed)

    def draw_weights(self, seed: int) -> None:
        """Draws the weights of the network anew; the items' tables stay."""
        tf.keras.utils.set_random_seed(seed)
        moments = {"watch": LabelMoments(60.0, 30.0)}
        self._model = Ranker(self._layer, self._context.spec, _TASKS, self._config, moments)
        self.scores(RankRequest.draw(self._world, 1, 0))

    def scores(self, request: RankRequest) -> dict[str, np.ndarray]:
        """Scores [N] of each task."""
        examples = tf.io.parse_example(request.examples(), self.parsing_spec)
        return {task: one.numpy() for task, one in self._model(self._builder(examples)).items()}

    def export(self, path: str) -> None:
        """Writes a SavedModel."""
        export_ranker(self._model, self._builder, self._world.space, self._name, path)


@functools.cache
def context_transform() -> ContextTransform:
    """A Transform graph of two context columns, fitted on three impressions."""
    spec = {
        "context_tab": tf.io.VarLenFeature(tf.string),
        "context_hour": tf.io.VarLenFeature(tf.float32),
        "history_length": tf.io.FixedLenFeature([1], tf.float32),
    }
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    rows = [
        {"context_tab": [tab], "context_hour": [hour], "history_length": [length]}
        for tab, hour, length in (("home", 8.0, 10.0), ("search", 12.0, 30.0), ("home", 20.0, 50.0))
    ]
    folder = tempfile.mkdtemp()
    with tft_beam.Context(temp_dir=os.path.join(folder, "tmp")):
        fitted = (rows, metadata) | tft_beam.AnalyzeDataset(
            functools.partial(preprocessing_fn, custom_config=_COLUMNS)
        )
        _ = fitted | tft_beam.WriteTransformFn(os.path.join(folder, "graph"))
    metadata_io.write_metadata(metadata, os.path.join(folder, "graph", "metadata"))
    output = tft.TFTransformOutput(os.path.join(folder, "graph"))
    return ContextTransform(output, **_COLUMNS)


def _bytes(values: object) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=list(values)))


def _integers(values: np.ndarray) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values.tolist()))
