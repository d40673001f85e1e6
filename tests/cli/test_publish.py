"""`sid publish`: tables of Semantic IDs into both stores."""

import io
import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rich.console

from benchmarks.redis_server import RedisServer
from benchmarks.redis_server import unused_port
from semantic_id_ranking.cli import publish
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.sid_batches import SidBatches
from semantic_id_ranking.serving.store import Checkpoint
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store.redis_sid_store import RedisSidStore
from semantic_id_ranking.serving.store.sqlite_sid_store import SqliteSidStore

SPACE = SidSpace("0123456789abcdef", levels=3, codebook_size=300, embedding_dim=4)
ROWS = 2_500
ITEM_IDS = [f"item{row}" for row in range(ROWS)]
SIDS = np.random.default_rng(0).integers(0, 300, (ROWS, 3)).astype(np.int32)


def write(path, rows=slice(None), space=SPACE, **options):
    item_ids = np.array(ITEM_IDS[rows], object)
    digests = np.zeros(len(item_ids), np.int64)
    pq.write_table(sid_table.to_table(item_ids, SIDS[rows], digests, space), path, **options)


@pytest.fixture
def table(tmp_path):
    folder = tmp_path / "sids"
    folder.mkdir()
    write(folder / "a.parquet", slice(0, 900), row_group_size=400)
    write(folder / "b.parquet", slice(900, ROWS))
    return str(folder)


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/sids.sqlite"
    else:
        url = request.getfixturevalue("redis_server").url
        yield url
        with open_store(url) as store:
            store.drop(SPACE.fingerprint)


@pytest.fixture
def small_batches(monkeypatch):
    """Batches of 300 rows, and the number of rows of each that was put."""
    sizes = []
    put = SidStore.put

    def count(self, fingerprint, item_ids, *arguments):
        put(self, fingerprint, item_ids, *arguments)
        sizes.append(len(item_ids))

    monkeypatch.setattr(SidStore, "put", count)
    for kind in (SqliteSidStore, RedisSidStore):
        monkeypatch.setattr(kind, "batch_items", 300)
    return sizes


def run(sids, url):
    printed = io.StringIO()
    publish.publish(str(sids), url, 5.0, rich.console.Console(file=printed, width=200))
    return printed.getvalue()


def stored(url):
    with open_store(url) as store:
        assert store.count(SPACE.fingerprint) == ROWS
        return store.get(SPACE.fingerprint, ITEM_IDS)


def test_every_item_of_a_folder_is_stored(table, url):
    printed = run(table, url)
    np.testing.assert_array_equal(stored(url), SIDS)
    with open_store(url) as store:
        assert store.spaces() == {SPACE.fingerprint: SidSpace(SPACE.fingerprint, 3, 300)}
    assert f"{ROWS} items of SID space {SPACE.fingerprint} are in {url}, 0 of them" in printed


def test_a_second_run_has_nothing_to_do(table, url, small_batches):
    run(table, url)
    assert sum(small_batches) == ROWS
    small_batches.clear()
    assert f"{ROWS} of them from an earlier run" in run(table, url)
    assert small_batches == []


def killed_after(batches, table, url):
    """Publishes in a process that is killed behind so many batches of 300 rows."""
    program = f"""
import os, signal, sys
from semantic_id_ranking.serving.store import SidStore, open_store
from semantic_id_ranking.cli import publish
import rich.console
put, left = SidStore.put, [{batches}]
def put_or_die(self, *arguments):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    put(self, *arguments)
SidStore.put = put_or_die
with open_store(sys.argv[2]) as store:
    type(store).batch_items = 300
publish.publish(sys.argv[1], sys.argv[2], 5.0, rich.console.Console())
"""
    return subprocess.run(
        [sys.executable, "-c", program, table, url], capture_output=True, check=False
    )


def test_what_was_killed_goes_on_and_ends_complete(table, url, small_batches):
    # The files hold 900 and 1,600 rows: the fifth batch of 300 ends at row 1,500.
    killed = killed_after(5, table, url)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    with open_store(url) as store:
        assert store.count(SPACE.fingerprint) == 1500
    assert "1500 of them from an earlier run" in run(table, url)
    assert small_batches == [300, 300, 300, 100]
    np.testing.assert_array_equal(stored(url), SIDS)


def test_of_two_publishes_of_different_tables_the_later_one_stays(
    table, tmp_path, url, monkeypatch
):
    other = str(tmp_path / "other.parquet")
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "SIDS", (SIDS + 1) % 300)
        write(other)
    batches, put = [], SidStore.put

    def put_and_begin_another(self, *arguments):
        put(self, *arguments)
        batches.append(arguments)
        if len(batches) == 2:
            run(other, url)

    for kind in SidStore.__subclasses__():
        monkeypatch.setattr(kind, "batch_items", 300)
    monkeypatch.setattr(SidStore, "put", put_and_begin_another)
    with pytest.raises(InputError, match="other Semantic IDs are being published"):
        run(table, url)
    np.testing.assert_array_equal(stored(url), (SIDS + 1) % 300)


def test_files_that_changed_are_published_from_the_start(table, url, monkeypatch):
    with open_store(url) as store:
        store.add_space(SidSpace(SPACE.fingerprint, 3, 300))
        checkpoint = Checkpoint(SidBatches.open(table).source, 900)
        store.put(SPACE.fingerprint, ITEM_IDS[:900], SIDS[:900], checkpoint)
    monkeypatch.setitem(globals(), "SIDS", (SIDS + 1) % 300)
    write(f"{table}/a.parquet", slice(0, 900))
    write(f"{table}/b.parquet", slice(900, ROWS))
    assert " 0 of them from an earlier run" in run(table, url)
    np.testing.assert_array_equal(stored(url), SIDS)


def test_what_the_store_lost_is_published_anew(table, url):
    run(table, url)
    with open_store(url) as store:
        checkpoint = store.checkpoint(SPACE.fingerprint)
        store.drop(SPACE.fingerprint)
        store.add_space(SidSpace(SPACE.fingerprint, 3, 300))
        store.put(SPACE.fingerprint, ITEM_IDS[:7], SIDS[:7], checkpoint)
    run(table, url)
    np.testing.assert_array_equal(stored(url), SIDS)


def test_reading_may_begin_at_any_row(table):
    batches = SidBatches.open(table)
    assert batches.rows == ROWS
    for start in (0, 1, 399, 400, 899, 900, 901, 2_499, 2_500):
        item_ids, sids = [], [np.zeros((0, 3), np.int32)]
        for ids, codes in batches.read(start, 150):
            assert len(ids) == len(codes) <= 150
            item_ids += ids
            sids.append(codes)
        assert item_ids == ITEM_IDS[start:]
        np.testing.assert_array_equal(np.concatenate(sids), SIDS[start:])


def test_two_spaces_in_one_folder_are_refused_by_name(table, url):
    write(f"{table}/c.parquet", space=SidSpace("f" * 16, 3, 300, 4))
    with pytest.raises(InputError, match=r"a\.parquet .* 0123456789abcdef .*c\.parquet in f{16}"):
        run(table, url)


def refused(path, item_ids, sids, codes="int32"):
    kind = pa.type_for_alias(codes)
    schema = pa.schema(
        [("item_id", pa.string()), ("sid", pa.list_(kind))], sid_table.schema(SPACE).metadata
    )
    pq.write_table(
        pa.table([pa.array(item_ids, pa.string()), pa.array(sids, pa.list_(kind))], schema), path
    )


@pytest.mark.parametrize(
    ("item_ids", "sids", "fact"),
    [
        (["x", None], [[1, 2, 3]] * 2, r"column 'item_id', row 1 .* found null"),
        (["x", "y"], [[1, 2, 3], [1, 2]], r"column 'sid', row 1 .* found \[1, 2\], expected 3"),
        (["x", "y"], [[1, 2, 3], None], r"column 'sid', row 1 .* found None, expected 3"),
        (["x", "y"], [[1, 2, 3], [1, 2, 300]], r"row 1 .* found \[1, 2, 300\], .* 0 \.\. 299"),
        (["x", "y"], [[1, -1, 3], [1, 2, 3]], r"row 0 .* found \[1, -1, 3\], .* 0 \.\. 299"),
        (["x", "y"], [[1, None, 3], [1, 2, 3]], r"row 0 .* found \[1, None, 3\]"),
    ],
)
def test_what_is_no_sid_is_named(tmp_path, url, item_ids, sids, fact):
    refused(tmp_path / "wrong.parquet", item_ids, sids)
    with pytest.raises(InputError, match=rf"wrong\.parquet: .*{fact}"):
        run(tmp_path / "wrong.parquet", url)


def test_codes_that_are_no_integers_are_named(tmp_path, url):
    refused(tmp_path / "wrong.parquet", ["x"], [[1.0, 2.0, 3.0]], "float32")
    with pytest.raises(InputError, match=r"column 'sid': found the type list<.*float.*>"):
        run(tmp_path / "wrong.parquet", url)


def test_a_table_without_a_space_is_named(tmp_path, url):
    pq.write_table(pa.table({"item_id": ["x"], "sid": [[1, 2, 3]]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"t\.parquet: the table names no SID space"):
        run(tmp_path / "t.parquet", url)


def test_no_files_are_named(tmp_path, url):
    with pytest.raises(InputError, match="holds no Parquet file"):
        run(tmp_path, url)
    with pytest.raises(InputError, match=r"absent\.parquet: no such file"):
        run(tmp_path / "absent.parquet", url)


def test_repeated_ids_are_told(tmp_path, url):
    refused(tmp_path / "twice.parquet", ["x", "x"], [[1, 2, 3]] * 2)
    with pytest.raises(InputError, match=r"holds 1 items .* 2 were put; either item ids repeat"):
        run(tmp_path / "twice.parquet", url)


def test_the_command_says_in_one_sentence_that_redis_is_away(table):
    url = f"redis://127.0.0.1:{unused_port()}/0"
    command = ["-m", "semantic_id_ranking.cli.main", "publish", "--sids", table, "--store", url]
    done = subprocess.run(
        [sys.executable, *command, "--timeout", "0.3"],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "500"},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert f"sid: {url}: Redis did not answer within 0.3 s" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_url_of_no_store_is_named(table):
    with pytest.raises(InputError, match="'sids' names no store"):
        run(table, "sids")
