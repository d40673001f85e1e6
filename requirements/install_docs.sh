#!/bin/sh
# Makes .venv-docs of requirements/docs.txt, on any Python from 3.10 on.
set -u
cd "$(dirname "$0")/.." || exit 2

venv=.venv-docs
lock=requirements/docs.txt
rm -f "$venv/.installed"

uv=$(requirements/uv.sh) || exit 2
echo "Installing $lock into $venv ..."
rm -rf "$venv"
"$uv" venv --quiet --python ">=3.10,<3.14" "$venv" || exit
"$uv" pip sync --quiet --python "$venv/bin/python" "$lock" || exit
touch "$venv/.installed"
