#!/bin/sh
# Makes .venv-peers of benchmarks/requirements.txt. The product's environment has none of it.
set -u
cd "$(dirname "$0")/.." || exit 2

venv=.venv-peers
lock=benchmarks/requirements.txt
rm -f "$venv/.installed"

uv=$(requirements/uv.sh) || exit 2
echo "Installing $lock into $venv ..."
rm -rf "$venv"
if ! "$uv" venv --quiet --seed --python 3.11 "$venv"; then
    echo "Python 3.11 is missing and could not be fetched: install Python 3.11." >&2
    exit 2
fi
# uv knows where PyTorch's CPU builds are; pip knows the indexes and folders of its configuration.
"$uv" pip install --quiet --python "$venv/bin/python" --torch-backend cpu --requirement "$lock" \
    2>"$venv/uv.log" || "$venv/bin/python" -m pip install --quiet --requirement "$lock" || {
    cat "$venv/uv.log" >&2
    exit 1
}
touch "$venv/.installed"
