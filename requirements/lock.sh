#!/bin/sh
# Resolves pyproject.toml into one lock for each Python version, and docs.in and pytorch.in into one
# for all of them; pytorch.txt leaves out what the former have, too.
# What is locked stays where it fits.
set -eu
cd "$(dirname "$0")/.."

uv=$(requirements/uv.sh)
for version in 3.10 3.11 3.12 3.13; do
    # The wheels that TFX 1.21 needs want a newer glibc than uv assumes of Linux.
    platform="--python-platform x86_64-manylinux_2_39"
    [ "$version" = 3.10 ] && platform=
    # shellcheck disable=SC2086
    "$uv" pip compile --quiet pyproject.toml --extra pipeline --extra demo --extra dev \
        --python-version "$version" $platform --no-emit-index-url --no-header --no-annotate \
        --output-file "requirements/python$version.txt"
    echo "requirements/python$version.txt"
done
"$uv" pip compile --quiet requirements/docs.in --universal --python-version 3.10 \
    --no-emit-index-url --no-header --no-annotate --output-file requirements/docs.txt
echo "requirements/docs.txt"
# shellcheck disable=SC2046
"$uv" pip compile --quiet requirements/pytorch.in --universal --python-version 3.10 \
    --no-emit-index-url --no-header --no-annotate --output-file requirements/pytorch.txt \
    $(sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package \1/p' requirements/python3.10.txt)
echo "requirements/pytorch.txt"
