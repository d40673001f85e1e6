"""`--json`: the result alone on standard output, everything else on standard error."""

import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
import typer.main
from typer.testing import CliRunner

from semantic_id_ranking.cli import main as cli
from semantic_id_ranking.cli import serve as serve_lib
from semantic_id_ranking.cli.demo import demo as demo_lib
from tests import synthetic

#: The commands that print no result: `serve` runs until it is stopped, `config` prints files.
WITHOUT_RESULT = {"serve", "config"}


def test_every_command_that_has_a_result_has_the_option():
    commands = typer.main.get_command(cli.app).commands
    for name in commands.keys() - WITHOUT_RESULT:
        assert "--json" in [option for p in commands[name].params for option in p.opts], name


def test_the_version_is_that_of_the_package():
    result = CliRunner().invoke(cli.app, ["--version"])
    assert (result.exit_code, result.output) == (0, "sid 0.1.0\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_completes(shell):
    """As `--show-completion` prints it, which asks the processes above this one for the shell."""
    environment = {"_SID_COMPLETE": f"source_{shell}"}
    script = CliRunner().invoke(cli.app, [], env=environment, prog_name="sid")
    assert script.exit_code == 0
    assert f"_SID_COMPLETE=complete_{shell}" in script.output


def test_completion_offers_what_begins_so():
    environment = {**os.environ, "_SID_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    done = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "sid")],
        env={**environment, "COMP_WORDS": "sid pu"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["publish", "push"]


@pytest.fixture
def sid(capfd, monkeypatch):
    """Runs a command with `--json`; returns its result and what stood on standard error."""

    def run(*arguments, status=0):
        monkeypatch.setattr(sys, "argv", ["sid", *map(str, arguments), "--json"])
        # Else standard error ends with the first command.
        monkeypatch.setattr(cli, "silence_exit", lambda: None)
        capfd.readouterr()
        if status:
            with pytest.raises(SystemExit) as end:
                cli.main()
            assert end.value.code == status
        else:
            cli.main()
        out, err = capfd.readouterr()
        return json.loads(out), err

    return run


@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_run_prints_its_summary_and_ends_with_its_status(sid, monkeypatch, command):
    """A stand-in for the pipeline, which says something, to a log too."""
    from semantic_id_ranking.pipeline import run as run_lib
    from semantic_id_ranking.pipeline.run_summary import RunSummary

    def pipeline(*arguments):
        console = next(a for a in arguments if hasattr(a, "print"))
        console.print("[1/2] Trainer.rqvae")
        summary = RunSummary.model_construct(blessed=False, missed=["click, all"])
        return summary if command == "run" else summary.to_json()

    monkeypatch.setattr(run_lib, "run", pipeline)
    monkeypatch.setattr(demo_lib, "demo", pipeline)
    data = ("--items", "i", "--impressions", "j", "--output", "o") if command == "run" else ()
    result, said = sid(command, *data, status=3)
    assert result == {"blessed": False, "missed": ["click, all"]}
    assert "Trainer.rqvae" in said


def test_a_refused_command_prints_no_result(capfd, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sid", "gc", "no_such", "--keep", "1", "--json"])
    monkeypatch.setattr(cli, "silence_exit", lambda: None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capfd.readouterr()
    assert (end.value.code, out) == (2, "")
    assert err.startswith("sid: no_such: holds no run")


def test_progress_reaches_standard_error_while_the_log_has_it(capfd, tmp_path):
    from semantic_id_ranking.cli.output import Output
    from semantic_id_ranking.pipeline.terminal import logged_to

    output = Output(as_json=True)
    with logged_to(str(tmp_path / "log")):
        output.console.print("working")
        os.write(2, b"of TensorFlow\n")
    output.result({"items": 1})
    out, err = capfd.readouterr()
    assert (json.loads(out), err) == ({"items": 1}, "working\n")
    assert "of TensorFlow" in (tmp_path / "log").read_text()


def test_tune_sid(sid, tmp_path):
    catalogue = synthetic.items(600)
    items = synthetic.write(catalogue, tmp_path / "items.parquet")
    impressions = synthetic.impressions(catalogue, count=400)
    log = synthetic.write(impressions, tmp_path / "impressions.parquet")
    quick = ("--set", "rqvae.epochs=1", "--set", "rqvae.kmeans_mixtures=200", "--minutes", "0")
    result, said = sid("tune-sid", "--items", items, "--impressions", log, *quick)
    assert [(t["levels"], t["codebook_size"]) for t in result["trials"]] == [
        (result["rqvae"]["levels"], result["rqvae"]["codebook_size"])
    ]
    assert len(result["not_tried"]) >= 1
    assert all(reason in " ".join(said.split()) for reason in result["reasons"])


@pytest.fixture(scope="module")
def release(finished_run):
    """Of the shared run: the folder, and its models by name."""
    serving = os.path.join(finished_run.output, "serving")
    return SimpleNamespace(
        output=finished_run.output,
        serving=serving,
        items=finished_run.items,
        count=pq.read_metadata(finished_run.items).num_rows,
        fingerprint=finished_run.summary["sid"]["fingerprint"],
        versions={name: max(os.listdir(f"{serving}/{name}")) for name in ("ranker", "semantic_id")},
    )


def test_a_batch_of_semantic_ids_goes_into_a_store(release, sid, tmp_path):
    url = f"sqlite:///{tmp_path}/sids.sqlite"
    output = str(tmp_path / "sids")
    model = f"{release.serving}/semantic_id"
    result, said = sid("encode", "--model", model, "--items", release.items, "--output", output)
    assert result == {
        "output": output,
        "fingerprint": release.fingerprint,
        "items": release.count,
        "encoded": release.count,
        "copied": 0,
        "gone": 0,
        "rejected": 0,
        "rejects": None,
    }
    assert f"{release.count} encoded" in said

    result, said = sid("publish", "--sids", output, "--store", url)
    assert result.pop("seconds") >= 0
    assert result == {
        "store": result["store"],
        "fingerprint": release.fingerprint,
        "items": release.count,
        "loaded_before": 0,
    }
    space = {
        "fingerprint": release.fingerprint,
        "levels": 3,
        "codebook_size": 16,
        "items": release.count,
    }
    assert sid("store", url)[0]["spaces"] == [space]
    assert sid("store", url, "--drop", release.fingerprint)[0]["dropped"] == space
    assert sid("store", url)[0]["spaces"] == []


def test_ranking(release, sid):
    from semantic_id_ranking.serving.server.model_server import ModelServer

    with ModelServer(serve_lib.base_paths(release.serving)) as server:
        result, said = sid(
            *("rank", "--run", release.output, "--user", "user3", "--address", server.address),
            *("--context", "tab=home", "--context", "hour=3", "--top", "2"),
        )
    assert (result["user"], result["candidates"]) == ("user3", release.count)
    assert [item["position"] for item in result["items"]] == [1, 2]
    first, second = (item["scores"]["click"] for item in result["items"])
    assert 1 >= first >= second >= 0
    assert all(item["item_id"] in said for item in result["items"])


def test_what_is_done_to_releases(release, sid, tmp_path):
    result, _ = sid("check-servable", f"{release.serving}/ranker")
    assert result["path"] == f"{release.serving}/ranker/{release.versions['ranker']}"
    assert {"op": "SentencepieceOp", "of": "tensorflow_text"}.items() <= next(
        op for op in result["ops"] if op["op"] == "SentencepieceOp"
    ).items()

    result, said = sid("push", "--run", release.output)
    versions = {name: int(version) for name, version in release.versions.items()}
    assert result == {"versions": versions, "pushed": []}
    assert "is served already" in said

    # Of a copy: other tests may still read what it removes.
    shutil.copytree(release.output, tmp_path / "copy")
    result, said = sid("gc", tmp_path / "copy", "--keep", "1")
    assert len(result["kept_runs"]) == 1
    assert f"removed {result['removed_artifacts']} artifacts" in said
    result, said = sid("gc", tmp_path / "copy", "--keep", "1")
    assert (result["removed_artifacts"], result["removed_bytes"]) == (0, 0)
    assert "removed 0 artifacts" in said


def test_a_rollback(sid, tmp_path):
    for version in (1, 2):
        folder = tmp_path / "models" / "ranker" / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
    result, said = sid("push", "--rollback", "--models", tmp_path / "models")
    assert result == {"versions": {"ranker": 1}, "set_aside": {"ranker": 2}}
    assert "version 1 is the newest again" in said


@pytest.mark.slow
def test_a_whole_run_prints_nothing_else_on_standard_output(finished_run):
    """All components come from the cache; what libraries print at import and at exit counts."""
    command = [sys.executable, "-m", "semantic_id_ranking.cli.main", "run", "--json"]
    command += ["--items", finished_run.items, "--impressions", finished_run.impressions]
    command += ["--output", finished_run.output, "--config", finished_run.config]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["models"] == finished_run.summary["models"]
    assert "components ran" in done.stderr
