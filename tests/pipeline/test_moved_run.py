"""A run's output folder that was copied elsewhere."""

import io
import json
import pathlib
import shutil

import pyarrow.parquet as pq
import pytest
import rich.console

from semantic_id_ranking.cli import rank as rank_lib
from semantic_id_ranking.cli.catalogue import Catalogue
from semantic_id_ranking.cli.push_run import push_run
from semantic_id_ranking.cli.serve import base_paths
from semantic_id_ranking.serving.server.model_server import ModelServer


@pytest.fixture(scope="module")
def moved(finished_run, tmp_path_factory):
    """The copy; what was served is lost, and released again."""
    folder = tmp_path_factory.mktemp("elsewhere") / "a run"
    shutil.copytree(finished_run.output, folder)
    shutil.rmtree(folder / "serving")
    push_run(str(folder), rich.console.Console(file=io.StringIO()))
    return folder


def paths_in(value):
    """Texts within nested lists and dicts that are absolute paths."""
    if isinstance(value, str):
        return [value] if value.startswith("/") else []
    values = value.values() if isinstance(value, dict) else value
    return [path for v in values if isinstance(v, str | dict | list) for path in paths_in(v)]


def test_what_tells_of_a_release_names_no_path(moved):
    for file in (moved / "serving" / "release.json", moved / "blessed.json"):
        content = json.loads(file.read_text())
        assert paths_in(content) == []
        for key in ("semantic_ids", "state"):
            assert (moved / content[key]).is_dir()


def test_tables_name_no_path(moved, finished_run):
    folders = (str(pathlib.Path(finished_run.items).parent), str(moved))
    tables = list(moved.rglob("*.parquet"))
    assert {"SemanticIdGen", "FeatureJoiner"} <= {
        path.relative_to(moved / "artifacts").parts[0] for path in tables
    }
    for path in tables:
        table = pq.ParquetFile(path).read()
        text = f"{table.schema.metadata} {table.to_pydict()}"
        assert not [folder for folder in folders if folder in text]


def test_titles_are_the_runs_own(moved, finished_run):
    catalogue = Catalogue.load(str(moved))
    items = pq.read_table(finished_run.items).to_pydict()
    assert catalogue.titles == dict(zip(items["item_id"], items["title"], strict=True))
    assert catalogue.semantic_ids.startswith(str(moved))


def test_it_is_served_and_ranked_where_it_is(moved):
    printed = rich.console.Console(file=io.StringIO(), width=160)
    context = [f"{column}=1" for column in _context(moved)]
    with ModelServer(base_paths(str(moved / "serving"))) as server:
        rank_lib.rank(str(moved), "user3", None, context, 3, server.address, printed)
    text = printed.file.getvalue()
    assert text.count("Thing ") >= 3
    assert text.count("stored") == 3
    assert (moved / "sids.sqlite").is_file()


def _context(run):
    catalogue = Catalogue.load(str(run))
    return [*catalogue.categorical, *catalogue.numeric]
