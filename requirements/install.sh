#!/bin/sh
# Makes .venv: chooses an interpreter, installs what the lock of its version names, then this
# project. The stamp .venv/.installed is written last: a failed installation is taken up again.
set -u
cd "$(dirname "$0")/.." || exit 2

venv=.venv
stamp="$venv/.installed"
rm -f "$stamp"
exec 3>&1 # The way out for progress from within $( ).

fail() {
    echo "$1" >&2
    exit 2
}

# Path of an installed CPython $1, outside any virtual environment. A pyenv shim fails unless its
# version is selected, and uv gives up at the first interpreter that fails: select pyenv's own
# version, then the system's.
find_python() {
    selected=system
    for directory in "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$1".*; do
        [ -x "$directory/bin/python" ] && selected=${directory##*/}
    done
    for pyenv in "$selected" system; do
        PYENV_VERSION=$pyenv "$uv" python find --system --no-python-downloads "cpython@$1" \
            2>/dev/null && return
    done
    return 1
}

# The same, fetched. uv would also put a `python3.x` into the user's own folder of programs.
fetch_python() {
    echo "Fetching Python $1 ..." >&3
    UV_PYTHON_INSTALL_BIN=0 "$uv" python install "$1" >/dev/null 2>&1 && find_python "$1"
}

# From a first line like "ldd (Debian GLIBC 2.36-9+deb12u14) 2.36"; empty where there is no glibc.
glibc=$(ldd --version 2>/dev/null | sed -n '1s/.* \([0-9]*\.[0-9]*\)$/\1/p')
versions=3.10
case $glibc in
2.39 | 2.[4-9][0-9] | 2.[1-9][0-9][0-9] | [3-9].*) versions="3.10 3.13 3.12 3.11" ;;
esac

uv=$(requirements/uv.sh) || exit 2
python=
for way in find_python fetch_python; do
    for version in $versions; do
        python=$($way "$version") && break 2
    done
done
if [ -z "$python" ]; then
    [ "$versions" = 3.10 ] && fail "Python 3.10 is missing and could not be fetched (3.11 to 3.13 \
would need glibc 2.39 or newer, this machine has ${glibc:-none}): install Python 3.10."
    fail "Python is missing and could not be fetched: install Python 3.10, 3.11, 3.12 or 3.13."
fi
lock="requirements/python$version.txt"
echo "Installing $lock with $python into $venv ..."

current=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
if [ "$current" != "$version" ]; then
    rm -rf "$venv"
    "$uv" venv --quiet --python "$python" "$venv" || exit
fi
if ! "$uv" pip sync --quiet --python "$venv/bin/python" "$lock"; then
    # pyfarmhash, of TensorFlow Data Validation, has no wheel for Linux.
    needs="pyfarmhash is built from source and needs"
    include=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    [ -e "$include/Python.h" ] || fail "$needs the headers of Python $version (python3-dev)."
    command -v c++ >/dev/null || command -v g++ >/dev/null || fail "$needs a C++ compiler (g++)."
    exit 1
fi
"$uv" pip install --quiet --python "$venv/bin/python" --no-deps --editable . || exit
touch "$stamp"
