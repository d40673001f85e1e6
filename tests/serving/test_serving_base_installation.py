"""An installation of the base dependencies alone: every other module is refused."""

import importlib.metadata
import re
import subprocess
import sys

from tests.serving import ranking_cases

BASE = {"grpcio", "numpy", "protobuf"}
#: Refuses what neither Python nor the base dependencies bring; the last one is of grpcio.
REFUSE = """
import sys

ALLOWED = {"semantic_id_ranking", "numpy", "grpc", "google", "typing_extensions"}
ALLOWED |= sys.stdlib_module_names

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refusing())
"""
RANK = """
import asyncio
from semantic_id_ranking import open_store, RankerClient
from semantic_id_ranking.serving.client import AsyncRankerClient

address, url = sys.argv[1:]
call = {"context": {"country": "", "price": 0.0}, "embeddings": {"new": [3, 3, 0]}, "task": "click"}

async def rank(store):
    async with AsyncRankerClient(address, store=store) as ranker:
        return await ranker.rank_items(["old", "new"], **call)

with open_store(url) as store:
    with RankerClient(address, store=store) as ranker:
        for ranking in (ranker.rank_items(["old", "new"], **call), asyncio.run(rank(store))):
            print([(row.item_id, row.scores["click"], row.source) for row in ranking.items])
"""
REDIS = """
from semantic_id_ranking import open_store
try:
    open_store("redis://localhost")
except ModuleNotFoundError as error:
    print(error)
"""
TOKENIZER = """
try:
    from semantic_id_ranking import SidTokenizer
except ImportError as error:
    print(error)
"""
COMMAND = """
from semantic_id_ranking.cli.entry_point import main
main()
"""


def run(source, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", REFUSE + source, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def printed(source, *arguments):
    done = run(source, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_base_dependencies_are_these():
    texts = importlib.metadata.requires("semantic-id-ranking")
    assert {re.match(r"[\w-]+", text)[0] for text in texts if "extra ==" not in text} == BASE


def test_both_clients_rank_with_a_store(server, store):
    expected = [("new", 6.0, "encoded"), ("old", 3.0, "store")]
    assert ranking_cases.SIDS["old"] == [1, 2]
    assert printed(RANK, server.address, store.name) == f"{expected}\n{expected}\n"


def test_redis_names_its_extra():
    assert printed(REDIS) == (
        "a store in Redis needs redis-py, which the extra redis brings: "
        "pip install 'semantic-id-ranking[redis]'\n"
    )


def test_everything_else_names_the_extra_pipeline():
    brings = "which the extra pipeline brings: pip install 'semantic-id-ranking[pipeline]'\n"
    text = printed(TOKENIZER)
    assert text.startswith("SidTokenizer needs the module ") and text.endswith(brings)
    done = run(COMMAND, "demo")
    assert done.returncode == 2
    assert re.fullmatch(rf"sid: needs the module \w+, {re.escape(brings)}", done.stderr)
