#!/bin/sh
# Makes .venv-pytorch: what .venv has, and PyTorch with the versions of requirements/pytorch.txt.
# PyTorch's own index has a build for processors, 0.2 GB; where that is out of reach it is PyPI's,
# which comes with CUDA: 2.4 GB fetched, 4.6 on the disk.
set -u
cd "$(dirname "$0")/.." || exit 2

venv=.venv-pytorch
lock=requirements/pytorch.txt
rm -f "$venv/.installed"

uv=$(requirements/uv.sh) || exit 2
echo "Installing $lock into $venv ..."
rm -rf "$venv"
"$uv" venv --quiet --python .venv/bin/python "$venv" || exit
version=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
install() {
    "$uv" pip install --quiet --python "$venv/bin/python" --constraint "$lock" \
        --requirement "requirements/python$version.txt" "$@" torch
}
install --torch-backend cpu 2>"$venv/uv.log" || install || {
    cat "$venv/uv.log" >&2
    exit 1
}
"$uv" pip install --quiet --python "$venv/bin/python" --no-deps --editable . || exit
# The test skips itself where there is none.
"$venv/bin/python" -c 'import torch' || exit
touch "$venv/.installed"
