"""Clients of a model server that serves `ranker` and `semantic_id`."""

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.async_encoder_client import AsyncEncoderClient
from semantic_id_ranking.serving.client.async_ranker_client import AsyncRankerClient
from semantic_id_ranking.serving.client.channel import open_async_channel
from semantic_id_ranking.serving.client.channel import open_channel
from semantic_id_ranking.serving.client.encoder_client import EncoderClient
from semantic_id_ranking.serving.client.errors import MissingInputError
from semantic_id_ranking.serving.client.errors import ModelCallError
from semantic_id_ranking.serving.client.errors import ServedSpaceError
from semantic_id_ranking.serving.client.ranker_client import RankerClient
from semantic_id_ranking.serving.client.ranking import RankedItem
from semantic_id_ranking.serving.client.ranking import Ranking
from semantic_id_ranking.serving.client.ranking import TopCandidates
from semantic_id_ranking.serving.client.tls import ClientTls
from semantic_id_ranking.serving.errors import ClientError
from semantic_id_ranking.serving.store import StoreError

__all__ = [
    "AsyncEncoderClient",
    "AsyncRankerClient",
    "ClientError",
    "ClientTls",
    "EncoderClient",
    "MissingInputError",
    "ModelCallError",
    "RankedItem",
    "RankerClient",
    "Ranking",
    "ServedSpaceError",
    "SidSpace",
    "StoreError",
    "TopCandidates",
    "open_async_channel",
    "open_channel",
]
