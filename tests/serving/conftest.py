import grpc
import pytest
import redis
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from benchmarks.redis_server import RedisServer
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.store import open_store
from tests.serving import ranking_cases
from tests.serving import tiny_models


@pytest.fixture(scope="session")
def base_paths(tmp_path_factory):
    """Models to be read only: rankers by Semantic ID, item id and embedding, and encoders."""
    root = tmp_path_factory.mktemp("models")
    tiny_models.export(tiny_models.SidRanker(), root / "ranker", 3)
    tiny_models.export(tiny_models.ItemIdRanker("space-b"), root / "by_id", 1)
    tiny_models.export(tiny_models.DenseRanker("space-b"), root / "dense", 1)
    tiny_models.export(tiny_models.Encoder(), root / "semantic_id", 7)
    tiny_models.export(tiny_models.Encoder("space-b"), root / "other_semantic_id", 7)
    return {path.name: path for path in root.iterdir()}


@pytest.fixture(scope="session")
def server(base_paths):
    with ModelServer(base_paths) as server:
        yield server


@pytest.fixture(scope="session")
def prediction_service(server):
    with grpc.insecure_channel(server.address) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="session")
def model_service(server):
    with grpc.insecure_channel(server.address) as channel:
        yield model_service_pb2_grpc.ModelServiceStub(channel)


@pytest.fixture(params=[RankerClient, ranking_cases.Waiting])
def client_class(request):
    return request.param


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def url(request, tmp_path):
    """Of a store of each kind, empty; Redis is a real one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new folder/sids?.sqlite"
    server = request.getfixturevalue("redis_server")
    with redis.Redis(port=server.port) as client:
        client.flushall()
    return server.url


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/sids.sqlite") as store:
        ranking_cases.fill(store, "space-a", ranking_cases.SIDS)
        yield store


@pytest.fixture
def ranker(client_class, server, store):
    with client_class(server.address, store=store) as client:
        yield client
