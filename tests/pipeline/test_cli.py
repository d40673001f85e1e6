"""The command line `sid` as a whole."""

from typer.testing import CliRunner

from pipeline.cli import app


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
        shown = CliRunner().invoke(app, [command, "--help"])
        assert (shown.exit_code, command in shown.output) == (0, True)
        assert command in CliRunner().invoke(app, ["--help"]).output
