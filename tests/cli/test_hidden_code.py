"""Parquet files that hold code (CVE-2023-47248), which no reader runs."""

import json
import os
import pickle
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.sid_space import SidSpace

SPACE = SidSpace("0123456789abcdef", levels=2, codebook_size=8, embedding_dim=3)


class MakesFolder:
    """Pickled, it makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def ran(tmp_path):
    """The folder that is there once the code of a file has run."""
    return tmp_path / "ran"


@pytest.fixture
def write(tmp_path, ran):
    """Writes a table whose first column has the extension type that unpickles what is beside it."""

    def write_table(name, columns, metadata=None):
        first, *others = columns.items()
        extension = {
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": pickle.dumps(MakesFolder(ran)),
        }
        array = pa.array(first[1])
        fields = [pa.field(first[0], array.type, metadata=extension)]
        arrays = [array, *(pa.array(values, pa.list_(pa.int32())) for _, values in others)]
        fields += [pa.field(name, pa.list_(pa.int32())) for name, _ in others]
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(arrays, pa.schema(fields, metadata)), path)
        return str(path)

    return write_table


def python(*arguments):
    """Runs a new process, in which no other module has done anything about it yet."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "500"},
        check=False,
    )


def sid(*arguments):
    return python("-m", "semantic_id_ranking.cli.main", *arguments)


def test_the_file_is_a_dangerous_one(write, ran):
    path = write("x.parquet", {"item_id": ["a"]})
    python("-c", f"import pyarrow.parquet; pyarrow.parquet.read_schema({path!r})")
    assert ran.exists() == (tuple(map(int, pa.__version__.split(".")[:3])) < (14, 0, 1))


@pytest.mark.parametrize(
    "use",
    [
        "from semantic_id_ranking.contracts import sid_table; sid_table.read_schema(path)",
        "from semantic_id_ranking.contracts import sid_table; sid_table.read(path)",
        "from semantic_id_ranking.cli import catalogue; catalogue.pq.read_table(path)",
        "import semantic_id_ranking.cli.main, pyarrow.parquet as pq; pq.read_table(path)",
    ],
)
def test_a_module_that_reads_parquet_does_not_run_it(write, ran, use):
    path = write("x.parquet", {"item_id": ["a"], "sid": [[1, 2]]}, sid_table.schema(SPACE).metadata)
    done = python("-c", f"path = {path!r}; {use}")
    assert "arrow.py_extension_type" in done.stderr
    assert not ran.exists()


def test_the_refusal_is_one_sentence(write, ran):
    path = write("x.parquet", {"item_id": ["a"]})
    with pytest.raises(ValueError, match="which would run code that the file holds") as caught:
        sid_table.read_schema(path)
    assert "\n" not in str(caught.value)
    assert not ran.exists()


def test_publish_does_not_run_it(write, ran, tmp_path):
    path = write("x.parquet", {"item_id": ["a"], "sid": [[1, 2]]}, sid_table.schema(SPACE).metadata)
    done = sid("publish", "--sids", path, "--store", f"sqlite:///{tmp_path}/s.sqlite")
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert not ran.exists()


@pytest.fixture
def run(tmp_path):
    """A run's folder, with tables of one item and one user."""
    folder = tmp_path / "run"
    tables = {
        "sids": pa.table({"item_id": ["a"]}),
        "state": pa.table({"user_id": ["u"], "item_id": [["a"]]}),
    }
    for name, table in tables.items():
        (folder / name).mkdir(parents=True)
        pq.write_table(table, folder / name / "users-0.parquet")
    release = {
        "fingerprint": SPACE.fingerprint,
        "models": {},
        "semantic_ids": "sids",
        "state": "state",
        "config": {"context": {"categorical": [], "numeric": []}, "tasks": [{"name": "click"}]},
    }
    (folder / "serving").mkdir()
    (folder / "serving" / "release.json").write_text(json.dumps(release))
    return folder


def test_rank_does_not_run_what_candidates_hold(write, ran, run):
    path = write("new.parquet", {"item_id": ["a"]})
    options = ["--user", "u", "--address", "127.0.0.1:1"]
    done = sid("rank", "--run", str(run), "--candidates", path, *options)
    assert done.returncode
    assert not ran.exists()


def test_rank_does_not_run_what_a_runs_tables_hold(write, ran, run):
    write("run/state/titles/0.parquet", {"item_id": ["a"]})
    done = sid("rank", "--run", str(run), "--user", "u", "--address", "127.0.0.1:1")
    assert done.returncode == 2
    assert "titles/0.parquet: cannot be read: Disallowed deserialization of" in done.stderr
    assert "Traceback" not in done.stderr
    assert not ran.exists()
