"""Refusals with status 2 and one sentence, before TFX is imported."""

import os
import sqlite3
import subprocess
import sys

import pytest
import rich.console

from semantic_id_ranking.cli.publish import publish
from semantic_id_ranking.cli.serve import base_paths
from semantic_id_ranking.cli.tune_sid import tune_sid
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.output_folder import require_own_metadata
from tests import synthetic

# The program, which fails if it has loaded what is slow.
PROGRAM = """
import sys
from semantic_id_ranking.cli import main as cli
try:
    cli.main()
finally:
    slow = {"tensorflow", "tfx"} & set(sys.modules)
    assert not slow, slow
"""


def sid(*arguments, **options):
    """Runs the program; returns its exit status and what it said."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
        **options,
    )
    return ended.returncode, ended.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    synthetic.write_small(folder)
    os.mkfifo(folder / "pipe")
    # For the process of another user.
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    return folder


def run(data, output, items="items.parquet", impressions="impressions.parquet", *more, **options):
    """`sid run`."""
    inputs = ("--items", data / items, "--impressions", data / impressions)
    return sid("run", *inputs, "--output", output, *more, **options)


def assert_sentence(result, *facts):
    status, said = result
    assert status == 2, said
    assert said.startswith("sid: ")
    assert said.count("\n") == 1
    for fact in facts:
        assert str(fact) in said


def test_an_output_that_cannot_be_a_folder(data, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert_sentence(run(data, tmp_path / "file"), tmp_path / "file", "is not a folder")
    assert_sentence(run(data, tmp_path / "file" / "below"), tmp_path / "file", "Not a directory")
    assert_sentence(run(data, ""), "--output", "is empty; name a folder")
    assert_sentence(sid("demo", "--output", ""), "--output", "is empty")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_output_that_cannot_be_written(data, tmp_path):
    # The superuser may write everywhere but here.
    assert_sentence(run(data, "/proc/version/x"), "/proc/version", "Not a directory")
    assert_sentence(run(data, "/proc/x"), "/proc/x", "No such file or directory")


def test_the_metadata_of_a_run(data, tmp_path):
    (tmp_path / "artifacts" / "ItemGen").mkdir(parents=True)
    facts = (tmp_path / "metadata.sqlite", "is missing", "put the file back")
    assert_sentence(run(data, tmp_path), *facts)
    (tmp_path / "metadata.sqlite").write_text("garbage" * 1000)
    assert_sentence(run(data, tmp_path), tmp_path / "metadata.sqlite", "is no ML Metadata")


def of_pipeline(path, *names):
    """Writes what of ML Metadata names the pipelines."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE Type (id INTEGER, name TEXT)")
        connection.execute("CREATE TABLE Context (id INTEGER, type_id INTEGER, name TEXT)")
        connection.execute("INSERT INTO Type VALUES (7, 'pipeline'), (8, 'node')")
        rows = [(number, 7, name) for number, name in enumerate(names)]
        connection.executemany("INSERT INTO Context VALUES (?, ?, ?)", [*rows, (99, 8, "node")])
    connection.close()


@pytest.fixture
def destinations(tmp_path):
    # A name that would mean something in a URI.
    made = Destinations.under(str(tmp_path / "50%20?#"))
    os.makedirs(os.path.join(made.root, "ItemGen"))
    return made


def test_own_metadata_is_let_in(destinations):
    of_pipeline(destinations.metadata, "semantic-id-ranking")
    require_own_metadata(destinations)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: of_pipeline(path, "penguins"), "is the metadata of the pipeline 'penguins'"),
        (lambda path: of_pipeline(path), "records no run, while .* holds artifacts"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE x (y)"), "no such table"),
        (lambda path: open(path, "wb").close(), "records no run, while .* holds artifacts"),
        (lambda path: os.mkdir(path), "Is a directory"),
    ],
)
def test_other_metadata_is_refused(destinations, make, reason):
    make(destinations.metadata)
    with pytest.raises((InputError, IsADirectoryError), match=reason):
        require_own_metadata(destinations)


def test_a_new_output_needs_no_metadata(tmp_path):
    require_own_metadata(Destinations.under(str(tmp_path)))


def test_a_pipe_as_input(data, tmp_path):
    assert_sentence(run(data, tmp_path, items="pipe"), data / "pipe", "neither a file nor a folder")
    assert_sentence(
        run(data, tmp_path, impressions="pipe"), data / "pipe", "neither a file nor a folder"
    )
    config = ("--config", data / "pipe")
    assert_sentence(run(data, tmp_path, "items.parquet", "impressions.parquet", *config), "pipe")


def test_a_pipe_as_input_of_another_command(data, tmp_path):
    console, pipe = rich.console.Console(), str(data / "pipe")
    for call in (
        lambda: publish(pipe, f"sqlite:///{tmp_path}/x", 5.0, console),
        lambda: tune_sid(pipe, pipe, Config(), 1.0, None, console),
    ):
        with pytest.raises(InputError, match="pipe: is neither a file nor a folder"):
            call()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's folder: needs the superuser")
def test_no_permission(data, tmp_path):
    (tmp_path / "theirs").mkdir(mode=0o700)
    for folder in [data, *data.parents][:-2]:
        folder.chmod(folder.stat().st_mode | 0o055)
    arguments = ("run", "--items", "i", "--impressions", "i", "--output", tmp_path / "theirs" / "x")
    # Made by the program itself: the environment of the tests may be closed to others.
    program = f"import os; import semantic_id_ranking.cli.main, \
semantic_id_ranking.pipeline.run; os.setuid(65534)\n{PROGRAM}"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    facts = (tmp_path / "theirs", "Permission denied")
    assert_sentence((ended.returncode, ended.stderr), *facts)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("split: {evaluation_start: 2024-02-30}", "split.evaluation_start: '2024-02-30' is not"),
        (
            "split: {evaluation_start: 2024-01-01T25:00:00}",
            "split.evaluation_start: '2024-01-01T25",
        ),
        ("split: {evaluation_start: 0001-01-01T00:00:00+12:00}", "evaluation_start: '0001-01-01"),
        ("split: {evaluation_start: !!timestamp soon}", "is not of the type that its tag !! says"),
        ("ranker: {epochs: !!int many}", "is not of the type that its tag !! says"),
        ("tasks: 2024-01-01", "tasks: '2024-01-01' is not allowed"),
        (
            "ranker: {epochs: 1}\nranker: {batch_size: 2}",
            "the key 'ranker' appears twice in line 2",
        ),
        ("ranker: {epochs: 1, epochs: 1}", "the key 'epochs' appears twice in line 1, column 21"),
        ("[" * 5000, "is not valid YAML"),
    ],
)
def test_a_configuration_that_yaml_itself_lets_pass_or_fails_on(tmp_path, text, reason):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refusal:
        load_config(str(path))
    assert reason in str(refusal.value)
    assert str(refusal.value).startswith(f"{path}: ")


def test_keys_of_merged_mappings_may_come_again(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("ranker: &r {epochs: 7, batch_size: 9}\n<<: {ranker: {<<: *r, epochs: 3}}")
    assert load_config(str(path)).ranker.epochs == 7


def test_an_override_is_read_like_a_file():
    with pytest.raises(InputError, match="the key 'epochs' appears twice"):
        load_config(None, ["ranker={epochs: 1, epochs: 2}"])


def test_a_store_that_does_not_exist(tmp_path):
    url = f"sqlite:///{tmp_path}/missing"
    assert_sentence(sid("store", url), url, "there is no such file")
    assert os.listdir(tmp_path) == []


def test_serve_of_a_run(tmp_path):
    (tmp_path / "run" / "serving" / "ranker" / "1").mkdir(parents=True)
    said = sid("serve", "--models", tmp_path / "run")
    assert_sentence(said, "is the output folder of a run", tmp_path / "run" / "serving")
    assert list(base_paths(str(tmp_path / "run" / "serving"))) == ["ranker"]
