"""Semantic IDs in place of hashed item IDs for ranking models.

The parts, for use without the pipeline:

- `SemanticIds`: content embeddings to Semantic IDs and back.
- `SidTokenizer`: Semantic IDs to rows of an embedding table, for any framework.
- `ItemEmbedding`: a Keras 2 layer that turns items into vectors by one of the representations
  `SidSpm`, `SidNgram`, `SidPrefix`, `SidHybrid`, `IdPlusSid`, `RandomHash`, `IndividualId`, `Dense`
  and `DenseProjected`.
- `encode_parquet`: Semantic IDs of Parquet files of items.
- `open_store`, `RankerClient`, `EncoderClient`: Semantic IDs and scores where a model is served.

The pipeline: `Config`, `load_config` and `create_pipeline`.

A name is imported at its first use: `import semantic_id_ranking` alone imports neither TensorFlow
nor NumPy.
"""

import importlib
import os
from typing import Any
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semantic_id_ranking.encoding.batch import encode_parquet as encode_parquet
    from semantic_id_ranking.pipeline.config import Config as Config
    from semantic_id_ranking.pipeline.dag import create_pipeline as create_pipeline
    from semantic_id_ranking.pipeline.load_config import load_config as load_config
    from semantic_id_ranking.serving.client import EncoderClient as EncoderClient
    from semantic_id_ranking.serving.client import RankerClient as RankerClient
    from semantic_id_ranking.serving.store import open_store as open_store
    from semantic_id_ranking.trainer.ranker.item_embedding import ItemEmbedding as ItemEmbedding
    from semantic_id_ranking.trainer.ranker.representations import Dense as Dense
    from semantic_id_ranking.trainer.ranker.representations import DenseProjected as DenseProjected
    from semantic_id_ranking.trainer.ranker.representations import IdPlusSid as IdPlusSid
    from semantic_id_ranking.trainer.ranker.representations import IndividualId as IndividualId
    from semantic_id_ranking.trainer.ranker.representations import RandomHash as RandomHash
    from semantic_id_ranking.trainer.ranker.representations import SidHybrid as SidHybrid
    from semantic_id_ranking.trainer.ranker.representations import SidNgram as SidNgram
    from semantic_id_ranking.trainer.ranker.representations import SidPrefix as SidPrefix
    from semantic_id_ranking.trainer.ranker.representations import SidSpm as SidSpm
    from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig as RqVaeConfig
    from semantic_id_ranking.trainer.rqvae.semantic_ids import SemanticIds as SemanticIds
    from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig as TokenizerConfig
    from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer as SidTokenizer

# TensorFlow Recommenders needs Keras 2. Keras reads this at TensorFlow's first import.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

#: The module of each name.
_MODULES = {
    "Config": "pipeline.config",
    "Dense": "trainer.ranker.representations",
    "DenseProjected": "trainer.ranker.representations",
    "EncoderClient": "serving.client",
    "IdPlusSid": "trainer.ranker.representations",
    "IndividualId": "trainer.ranker.representations",
    "ItemEmbedding": "trainer.ranker.item_embedding",
    "RandomHash": "trainer.ranker.representations",
    "RankerClient": "serving.client",
    "RqVaeConfig": "trainer.rqvae.config",
    "SemanticIds": "trainer.rqvae.semantic_ids",
    "SidHybrid": "trainer.ranker.representations",
    "SidNgram": "trainer.ranker.representations",
    "SidPrefix": "trainer.ranker.representations",
    "SidSpm": "trainer.ranker.representations",
    "SidTokenizer": "trainer.tokenizer.sid_tokenizer",
    "TokenizerConfig": "trainer.tokenizer.config",
    "create_pipeline": "pipeline.dag",
    "encode_parquet": "encoding.batch",
    "load_config": "pipeline.load_config",
    "open_store": "serving.store",
}

__all__ = [
    "Config",
    "Dense",
    "DenseProjected",
    "EncoderClient",
    "IdPlusSid",
    "IndividualId",
    "ItemEmbedding",
    "RandomHash",
    "RankerClient",
    "RqVaeConfig",
    "SemanticIds",
    "SidHybrid",
    "SidNgram",
    "SidPrefix",
    "SidSpm",
    "SidTokenizer",
    "TokenizerConfig",
    "create_pipeline",
    "encode_parquet",
    "load_config",
    "open_store",
]


def __getattr__(name: str) -> Any:
    """Imports a public name (PEP 562).

    Raises:
        AttributeError: There is no such name.
        ImportError: It needs an extra that is not installed.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        # By name, so that the digests of the components' code do not follow it.
        extras = importlib.import_module(f"{__name__}.cli.extras")
        sentence = extras.extra_sentence(error)
        if sentence is None:
            raise
        raise ImportError(f"{name} {sentence}", name=error.name) from None
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
