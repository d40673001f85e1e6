#!/bin/sh
# Asks the registry whether what each lock names is there for its Python, without installing it: as
# wheels, but for the packages below, which are built from source (only pyfarmhash with a compiler).
set -eu
cd "$(dirname "$0")/.."

uv=$(requirements/uv.sh)
nothing=$(mktemp -d)
trap 'rm -rf "$nothing"' EXIT
for version in 3.10 3.11 3.12 3.13; do
    platform=x86_64-manylinux_2_39
    [ "$version" = 3.10 ] && platform=x86_64-unknown-linux-gnu
    lock="requirements/python$version.txt"
    if ! found=$("$uv" pip sync --dry-run --target "$nothing" --python-version "$version" \
        --python-platform "$platform" --only-binary :all: --no-binary dill \
        --no-binary google-apitools --no-binary pyfarmhash --no-binary rouge-score "$lock" 2>&1); then
        echo "$found" >&2
        exit 1
    fi
    echo "$lock: every package is there"
done
