#!/bin/sh
# Compares what is imported with what is declared: the package with its dependencies and extras, the
# tests and benchmarks with these and the extra `dev`, the benchmarks' peers with a list of their own.
set -u
cd "$(dirname "$0")/.." || exit 2

compare() {
    "$PWD/.venv/bin/deptry" --no-ansi "$@" 2>&1
}

# DEP002: declared and not imported. DEP004: declared for development only.
if ! found=$(compare semantic_id_ranking $(find semantic_id_ranking -type l ! -name configs -printf "%f ")) ||
    ! found=$(compare tests benchmarks --ignore DEP002,DEP004) ||
    ! found=$(compare benchmarks/peers --config /dev/null --exclude '^$' \
        --requirements-files benchmarks/requirements.txt --known-first-party rounds \
        --package-module-name-map faiss-cpu=faiss --ignore DEP002); then
    echo "$found" | grep -v -e '^Scanning' -e '^Assuming' >&2
    exit 1
fi
echo "All imports are declared."
