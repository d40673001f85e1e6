#!/bin/sh
# Prints the path of a uv that works: the one on the PATH, or one that pip fetches into .venv-uv,
# with the user's own pip configuration. Exit status 2 and one sentence where there is neither.
set -u
cd "$(dirname "$0")/.." || exit 2

# Behind pyenv a program fails unless a version that has it is selected, and install.sh selects
# different ones: what is used here has to work with the system's.
export PYENV_VERSION=system

works() {
    "$1" --version >/dev/null 2>&1
}

if works uv; then
    command -v uv
    exit 0
fi
home="$PWD/.venv-uv"
uv="$home/bin/uv"
if works "$uv"; then
    echo "$uv"
    exit 0
fi

# These settings of a user's pip refuse an installation into a folder.
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0

for python in python3 python3.13 python3.12 python3.11 python3.10 python \
    "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.*/bin/python; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 || continue
    # Debian's python3 may come without ensurepip (no venv) but with pip, or the other way round.
    for way in venv target; do
        rm -rf "$home"
        if [ "$way" = venv ]; then
            "$python" -m venv "$home" >/dev/null 2>&1 &&
                "$home/bin/python" -m pip install --quiet --retries 1 uv >&2
        else
            "$python" -m pip --version >/dev/null 2>&1 &&
                "$python" -m pip install --quiet --retries 1 --target "$home" uv >&2
        fi
        if works "$uv"; then
            echo '*' >"$home/.gitignore"
            echo "$uv"
            exit 0
        fi
    done
done
rm -rf "$home"
echo "uv is missing, and so is a Python with a pip to fetch it: install uv (docs.astral.sh/uv)." >&2
exit 2
