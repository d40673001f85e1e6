"""A machine to install on, with stand-ins for uv, ldd and Python on the PATH."""

import shutil
import subprocess
from pathlib import Path

from tests import ROOT

LOCKS = ["python3.10.txt", "python3.11.txt", "python3.12.txt", "python3.13.txt"]
TOOLS = [
    "sh",
    "basename",
    "cat",
    "chmod",
    "cp",
    "dirname",
    "expand",
    "make",
    "mkdir",
    "rm",
    "sed",
    "touch",
]

# "Installed" and "fetchable" Pythons are files in a folder; every call is logged.
UV = """#!/bin/sh
echo "$*" >> "$STATE/log"
case "$1 $2" in
"--version "*) ;;
"python find")
    version=${5#cpython@}
    if [ -e "$STATE/shim$version" ] && [ "$PYENV_VERSION" != "$(cat "$STATE/shim$version")" ]; then
        exit 2
    fi
    [ -e "$STATE/python$version" ] && echo "/opt/python$version" ;;
"python install")
    [ -e "$STATE/fetchable$3" ] && touch "$STATE/python$3" ;;
"venv --quiet")
    mkdir -p "$5/bin"
    printf '#!/bin/sh\\necho "%s"\\n' "${4#/opt/python}" > "$5/bin/python"
    chmod +x "$5/bin/python" ;;
"pip sync")
    [ ! -e "$STATE/broken" ] ;;
esac
"""

# A Python with venv and pip, as far as no file says otherwise. "Fetching" uv copies the stand-in.
PYTHON = """#!/bin/sh
echo "python $*" >> "$STATE/log"
fetch() {
    [ ! -e "$STATE/offline" ] || exit 1
    mkdir -p "$1/bin"
    cp "$STATE/uv" "$1/bin/uv"
}
case "$*" in
"-c "*) ;;
"-m venv "*)
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    [ ! -e "$STATE/no-ensurepip" ] ;;
"-m pip --version") [ ! -e "$STATE/no-pip" ] ;;
"-m pip install --quiet --retries 1 uv")
    [ ! -e "$STATE/no-ensurepip" ] && fetch "$(dirname "$(dirname "$0")")" ;;
"-m pip install --quiet --retries 1 --target "*) fetch "$8" ;;
*) exit 1 ;;
esac
"""
SHIM = """#!/bin/sh
echo "pyenv: $(basename "$0"): command not found" >&2
exit 127
"""


class Machine:
    """A machine that has what the test says, and a fresh clone on it."""

    def __init__(self, folder: Path):
        self.clone = folder / "clone"
        self.state = folder / "state"
        self.bin = folder / "bin"
        self.home = folder / "home"
        for path in (self.clone, self.state, self.bin, self.home):
            path.mkdir()
        shutil.copytree(ROOT / "requirements", self.clone / "requirements")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.clone / name)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.glibc("2.36")

    def program(self, name: str, text: str, folder: Path | None = None) -> None:
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def glibc(self, version: str) -> None:
        self.program(
            "ldd", f'#!/bin/sh\necho "ldd (Debian GLIBC {version}-9) {version}"\necho Copyright\n'
        )

    def run(self, *command: str) -> subprocess.CompletedProcess:
        variables = {"PATH": self.bin, "HOME": self.home, "STATE": self.state}
        environment = {name: str(path) for name, path in variables.items()} | {
            "PYENV_VERSION": "3.7.1"
        }
        return subprocess.run(
            command, cwd=self.clone, env=environment, capture_output=True, text=True, timeout=60
        )

    def install(self) -> subprocess.CompletedProcess:
        return self.run("requirements/install.sh")

    @property
    def log(self) -> str:
        path = self.state / "log"
        return path.read_text() if path.exists() else ""

    @property
    def installed_locks(self) -> list[str]:
        return [name for name in LOCKS if f"requirements/{name}" in self.log]

    @property
    def stamp(self) -> Path:
        return self.clone / ".venv" / ".installed"
