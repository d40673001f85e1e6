#!/bin/sh
# Builds the source distribution and, of it, the wheel; installs the wheel into an empty environment
# away from the checkout and works with it there: first with the base dependencies alone, then, with
# the locked extras, through the whole demonstration.
set -eu
cd "$(dirname "$0")/.."

uv=$(requirements/uv.sh)
python="$PWD/.venv/bin/python"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
lock="$PWD/requirements/python$version.txt"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "wheel: $1" >&2
    exit 1
}

"$uv" build --quiet --out-dir "$folder/dist"
cd "$folder"
wheel=$(echo "$folder"/dist/*.whl)
others=$("$python" -m zipfile -l "$wheel" |
    sed '1d' | grep -v -e '^semantic_id_ranking/' -e '^semantic_id_ranking-[^/]*\.dist-info/' || true)
[ -z "$others" ] || fail "it holds more than the package: $others"

"$uv" venv --quiet --python "$python" environment
install() {
    "$uv" pip install --quiet --python environment/bin/python --constraint "$lock" "$@"
}
install "$wheel"
environment/bin/python -W ignore -c '
import importlib.metadata
from semantic_id_ranking.serving.client import AsyncRankerClient, EncoderClient, RankerClient
from semantic_id_ranking.serving.client import ModelCallError
from semantic_id_ranking.serving.store import open_store
with open_store("sqlite:///sids.sqlite") as store:
    assert store.spaces() == {}
    with RankerClient("127.0.0.1:1", store=store, timeout=0.2) as ranker:
        try:
            ranker.space()
        except ModelCallError as error:
            assert error.code.name == "UNAVAILABLE", error
found = importlib.metadata.distributions()
installed = {one.metadata["Name"].replace("_", "-") for one in found}
base = {"semantic-id-ranking", "numpy", "grpcio", "protobuf"}
assert installed == base | {"typing-extensions"}, installed  # The last is of grpcio.
' || fail "the client and the store need more than the base dependencies"
for command in "demo" "run --items x --impressions x --output x" "tune-sid --items x --impressions x" \
    "encode --model models/m --items x --output x" "publish --sids x --store sqlite:///x" \
    "rank --run x --user x" "serve --models models"; do
    status=0
    # shellcheck disable=SC2086
    environment/bin/sid $command >printed 2>&1 || status=$?
    [ "$status $(wc -l <printed)" = "2 1" ] && grep -q "^sid: needs .*\[pipeline\]" printed ||
        fail "without the extra, sid $command ends with status $status and says: $(cat printed)"
done

status=0
environment/bin/python -W ignore -c 'from semantic_id_ranking import SidTokenizer' >printed 2>&1 || status=$?
[ "$status" = 1 ] && tail -1 printed | grep -q "^ImportError: SidTokenizer needs .*\[pipeline\]" ||
    fail "without the extra, SidTokenizer ends with status $status and says: $(cat printed)"

install "$wheel[pipeline,demo]"
environment/bin/python -W ignore -c '
import numpy as np
import semantic_id_ranking as sir
import tf_keras

embeddings = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
semantic_ids = sir.SemanticIds.fit(embeddings, levels=3, codebook_size=16, epochs=1)
semantic_ids.save("library/semantic_id/1")
semantic_ids = sir.SemanticIds.load("library/semantic_id")
sids = semantic_ids.encode(embeddings)
tokenizer = sir.SidTokenizer.fit(sids, np.arange(300), semantic_ids, rows=100)
tokenizer.save("library/tokenizer")
tokenizer = sir.SidTokenizer.load("library/tokenizer")
inputs = tf_keras.Input([3], dtype="int32")
layer = sir.ItemEmbedding(sir.SidHybrid(rows=100), tokenizer, dim=4)
model = tf_keras.Model(inputs, layer(inputs))
model.save("library/model.keras")
loaded = tf_keras.models.load_model("library/model.keras")
assert (loaded.predict(sids, verbose=0) == model.predict(sids, verbose=0)).all()
' 2>printed || fail "the public names do not work outside the checkout: $(cat printed)"
environment/bin/sid demo
[ -e runs/movielens/serving/release.json ] || fail "the demonstration pushed nothing"
echo "the wheel's demonstration passed"
