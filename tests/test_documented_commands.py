"""Documented commands: each is run by a test, or says what it needs."""

import ast
import importlib
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
import typer.main

from semantic_id_ranking.cli import main as cli
from semantic_id_ranking.pipeline.load_config import load_config
from tests import documentation
from tests import ROOT
from tests.documentation import Block

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

#: How a command begins -> the file that runs it, and what of it stands there.
RUN_BY = {
    "make lint": (".ci/run", "lint check-locks docs"),
    "make test": (".ci/run", "lane a test"),
    "sid --install-completion": ("tests/cli/test_json.py", '"_SID_COMPLETE"'),
    "sid backfill": ("tests/pipeline/test_days.py", 'sid("backfill"'),
    "sid check-servable": ("tests/cli/test_json.py", '"check-servable"'),
    "sid compare-truth": ("tests/cli/test_simulate.py", '"compare-truth"'),
    "sid day": ("tests/pipeline/test_days.py", 'sid("day"'),
    "sid encode": ("tests/cli/test_json.py", '"encode"'),
    "sid gc": ("tests/cli/test_json.py", '"gc"'),
    "sid publish": ("tests/cli/test_json.py", '"publish"'),
    "sid push --rollback": ("tests/cli/test_json.py", '"push", "--rollback"'),
    "sid push --run": ("tests/cli/test_json.py", '"push", "--run"'),
    "sid rank": ("tests/cli/test_json.py", '"rank", "--run"'),
    "sid refresh": ("tests/pipeline/test_refresh.py", '[sid, "refresh"'),
    "sid run": ("tests/cli/test_json.py", '"run", "--json"'),
    "sid serve": ("tests/cli/test_serve.py", '"serve"'),
    "sid simulate": ("tests/cli/test_simulate.py", '"simulate"'),
    "sid status": ("tests/pipeline/test_days.py", 'sid("status"'),
    "sid store": ("tests/cli/test_json.py", '"store", url'),
    "sid tune-sid": ("tests/cli/test_json.py", '"tune-sid"'),
    "tensorboard": ("tests/pipeline/test_tensorboard.py", '"tensorboard.main"'),
}
#: Those that take a second or two, and are run here.
CHEAP = ("python -c", "sid --version", "sid --help", "make help")
#: Programs that are not ours: only the paths that they are given can be checked.
OTHERS = {
    "docker",
    "export",
    "kubectl",
    "pip",
    "pre-commit",
    "python",
    "tensorboard",
    "tests/lane_b.sh",
}


def program_of(words: list[str]) -> list[str]:
    """The words, without the folder of the environment."""
    return [words[0].removeprefix(".venv/bin/"), *words[1:]]


def check_spelling(words: list[str]) -> None:
    """Fails on an unknown command, option, target, variable or path.

    Raises:
        Exception: Also the parser's own, which names the option.
    """
    program, *rest = program_of(words)
    if program == "sid":
        check_sid(rest)
    elif program == "make":
        check_make(rest)
    else:
        assert program in OTHERS, f"{program}: is not in OTHERS"
    for word in words:
        if re.match(r"(serving/deploy|configs|examples|requirements|tests|benchmarks)/", word):
            assert (ROOT / word.split("::")[0]).exists(), f"{word}: no such file"


def check_sid(arguments: list[str]) -> None:
    command, name = typer.main.get_command(cli.app), "sid"
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        name, *arguments = arguments
        assert name in command.commands, f"sid {name}: no such command"
        command = command.commands[name]
    if hasattr(command, "commands"):
        assert set(arguments) <= options_of(command), arguments
        return
    parsed = command.make_context(name, list(arguments))
    load_config(None, parsed.params.get("overrides") or ())


def options_of(command) -> set[str]:
    return {"--help", *(name for parameter in command.params for name in parameter.opts)}


def check_make(arguments: list[str]) -> None:
    targets = [word for word in arguments if "=" not in word]
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"make {target}: no such target"
    for assignment in set(arguments) - set(targets):
        name, _, value = assignment.partition("=")
        assert f"$({name})" in MAKEFILE, f"make {name}=: no such variable"
        if name == "ARGS" and targets == ["demo"]:
            check_sid(["demo", *shlex.split(value)])
        elif name == "ARGS":
            known = set().union(*map(benchmark_options, targets))
            options = set(re.findall(r"(?<!\S)--[a-z-]+", value))
            assert options <= known, f"make {assignment}: no such option"
            for path in re.findall(r"tests/\S+", value):
                assert (ROOT / path).exists(), f"{path}: no such file"


def benchmark_options(target: str) -> set[str]:
    """Options of the benchmarks that a target runs: arguments of `main`, which Typer reads."""
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)[1]
    found = set()
    for name in re.findall(r"-m benchmarks\.(\w+)", recipe):
        tree = ast.parse((ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == "main":
                found |= {f"--{argument.arg.replace('_', '-')}" for argument in node.args.args}
    return found


def key_of(words: list[str]) -> str | None:
    """The command's key in the list."""
    text = " ".join(program_of(words))
    found = [key for key in (*RUN_BY, *CHEAP) if text == key or text.startswith(f"{key} ")]
    return max(found, key=len, default=None)


SHELL = [block for block in documentation.all_blocks() if block.language == "sh"]
COMMANDS = [(block, words) for block in SHELL for words in block.commands()]


def identify(value) -> str:
    return value.where if isinstance(value, Block) else " ".join(value)[:60]


def test_every_block_names_its_language():
    for block in documentation.all_blocks():
        assert block.language in {"sh", "yaml", "python", "text"}, block.where
        assert block.needs <= documentation.NEEDS, block.where


@pytest.mark.parametrize(("block", "words"), COMMANDS, ids=identify)
def test_a_command_is_spelt_right_and_run_or_says_what_it_needs(block, words):
    check_spelling(words)
    assert block.needs or key_of(words), f"{block.where}: add it to RUN_BY, or say what it needs"


@pytest.mark.parametrize("key", RUN_BY)
def test_what_runs_a_command_is_there(key):
    path, text = RUN_BY[key]
    assert text in (ROOT / path).read_text(encoding="utf-8")
    assert key in {key_of(words) for _, words in COMMANDS}, "nothing documents it"


def test_commands_within_sentences_are_there():
    for _, words in documentation.inline_commands("make"):
        check_make(words[1:])
    for where, (_, *words) in documentation.inline_commands("sid"):
        command = typer.main.get_command(cli.app)
        while hasattr(command, "commands") and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        if hasattr(command, "commands"):
            assert not words or words[0].startswith("--"), f"{where}: sid {words[0]}"
        unknown = {word for word in words if word.startswith("--")} - options_of(command)
        assert not unknown, f"{where}: {unknown}"


@pytest.mark.parametrize(
    "command",
    [
        "sid rum --output x",
        "sid gc runs/mine --kept 3",
        "sid gc runs/mine",
        "sid encode --model m --items i --output o --workers none",
        "sid demo --set ranker.epoch=3",
        "sid --versions",
        "make demos",
        "make test ARGUMENTS=x",
        "make demo ARGS='--outputs x'",
        "make bench-ranker ARGS=--round",
        "make test ARGS=tests/cli/test_jason.py",
        "kubectl apply -k serving/deploy/kubernetes/tpu",
        "poetry install",
    ],
)
def test_a_mistyped_command_fails(command):
    with pytest.raises(Exception, match=r".+"):
        check_spelling(shlex.split(command))


def test_the_parts_of_a_block_are_found():
    text = "<!-- needs: docker, gpu -->\n\n```sh\nA=1 make x \\\n  B=2 # why\nsid run > f\n```\n"
    (block,) = documentation.blocks(text)
    assert block.needs == {"docker", "gpu"}
    assert block.commands() == [["make", "x", "B=2"], ["sid", "run"]]


def cheap_commands() -> list[list[str]]:
    documented = [words for _, words in COMMANDS if key_of(words) in CHEAP]
    return [*documented, ["sid", "--version"], ["sid", "--help"], ["make", "help"]]


@pytest.mark.parametrize("words", cheap_commands(), ids=identify)
def test_a_cheap_command_runs(words):
    words = program_of(words)
    if words[0] in ("sid", "python"):
        words[0] = str(pathlib.Path(sys.executable).parent / words[0])
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def test_the_documented_folder_of_deployment_files_is_there():
    (words,) = [words for _, words in COMMANDS if key_of(words) == "python -c"]
    done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=True)
    assert (pathlib.Path(done.stdout.strip()) / "docker-compose.yaml").is_file()


@pytest.mark.parametrize(
    "block", [b for b in documentation.all_blocks() if b.language == "yaml"], ids=identify
)
def test_a_documented_configuration_is_valid(block, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(block.text, encoding="utf-8")
    load_config(str(path))


@pytest.mark.parametrize(
    "block", [b for b in documentation.all_blocks() if b.language == "python"], ids=identify
)
def test_documented_imports_are_there(block):
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)
        elif isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
