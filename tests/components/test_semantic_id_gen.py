"""SemanticIdGen on Beam: Examples of items in, a table of Semantic IDs out."""

import dataclasses
import hashlib
import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.semantic_id_gen.executor import Executor
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.encoding.sid_batches import SidBatches
from tests import exported_models
from tests.components.artifact_files import artifact
from tests.components.artifact_files import beam_context
from tests.components.artifact_files import example
from tests.components.artifact_files import write_example_files
from tests.components.tiny_rqvae import TinyRqVae


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return TinyRqVae(tmp_path_factory.mktemp("rqvae") / "model")


def encode(folder, model, earlier=None, **splits):
    """Encodes files of (item id, embedding) rows; returns the output's folder."""
    examples = artifact(standard_artifacts.Examples, folder / "items")
    rows = {
        split: [
            [example(item_id=i.encode(), embedding=list(map(float, e))) for i, e in file]
            for file in files
        ]
        for split, files in splits.items()
    }
    write_example_files(examples, **rows)
    output = artifact(SemanticIds, folder / "sids")
    inputs = {"examples": [examples], "model": [model.artifact]}
    if earlier:
        inputs["earlier"] = [earlier]
    Executor(beam_context(folder / "tmp")).Do(inputs, {"semantic_ids": [output]}, {})
    return pathlib.Path(output.uri)


def test_every_item_of_every_split_has_the_nearest_codes(tmp_path, model):
    ids, embeddings = [f"i{n}" for n in range(60)], model.items(60)
    rows = list(zip(ids, embeddings, strict=True))
    output = encode(tmp_path, model, train=[rows[:30], rows[30:45]], eval=[rows[45:], []])
    found, sids, space = sid_table.read(str(output))
    assert space == model.space
    assert found.tolist() == ids
    np.testing.assert_array_equal(sids, model.encode(embeddings))
    # One that is always the same would be equal to nothing but itself.
    assert len(np.unique(sids, axis=0)) > 4


def test_a_file_of_examples_becomes_a_file_in_its_order(tmp_path, model):
    embeddings = model.items(5)
    rows = list(zip("edcba", embeddings, strict=True))
    output = encode(tmp_path, model, train=[rows[:2], rows[2:]], eval=[[]])
    files = sorted(output.glob("*.parquet"))
    assert [file.name for file in files] == [f"sids-0000{n}-of-00003.parquet" for n in range(3)]
    assert [pq.read_table(file)["item_id"].to_pylist() for file in files] == [
        ["e", "d"],
        ["c", "b", "a"],
        [],
    ]
    digests = pq.read_table(output)["embedding_digest"].to_pylist()
    assert digests == [
        int.from_bytes(
            hashlib.sha256(row.astype("<f4").tobytes()).digest()[:8], "little", signed=True
        )
        for row in embeddings
    ]


def test_a_damaged_model_encodes_nothing(tmp_path):
    damaged = TinyRqVae(tmp_path / "model")
    exported_models.flip_bit(f"{damaged.path}/saved_model.pb", 20)
    with pytest.raises(InputError, match=r"saved_model\.pb is not as it was exported"):
        encode(tmp_path, damaged, train=[[("a", damaged.items(1)[0])]])
    assert list((tmp_path / "sids").iterdir()) == []


def write_earlier(folder, items, space):
    """A table in which item n has the codes (3, n), whatever its embedding."""
    embeddings = np.array([embedding for _, embedding in items], np.float32)
    sids = np.stack([np.full(len(items), 3), np.arange(len(items))], axis=1).astype(np.int32)
    ids = np.array([item_id for item_id, _ in items], object)
    earlier = artifact(SemanticIds, folder)
    table = sid_table.to_table(ids, sids, sid_table.digest(embeddings), space)
    pq.write_table(table, f"{folder}/sids-00000-of-00001.parquet")
    return earlier


def counts(output):
    return json.loads((output / "_counts.json").read_text())


def test_known_items_keep_what_the_model_would_not_answer(tmp_path, model):
    rows = model.items(4)
    earlier = write_earlier(
        tmp_path / "earlier",
        [("same", rows[0]), ("gone", rows[1]), ("changed", rows[1]), ("also", rows[3])],
        model.space,
    )
    today = [("new", rows[2]), ("also", rows[3]), ("changed", rows[2]), ("same", rows[0])]
    output = encode(tmp_path, model, earlier, train=[today[:2]], eval=[today[2:]])
    encoded = model.encode(rows[2:3])[0].tolist()
    # Else it would not be known who answered.
    assert encoded[0] != 3
    ids, sids, space = sid_table.read(str(output))
    assert space == model.space
    assert list(zip(ids, sids.tolist(), strict=True)) == [
        ("new", encoded),
        ("also", [3, 3]),
        ("changed", encoded),
        ("same", [3, 0]),
        ("gone", [3, 1]),
    ]
    assert counts(output) == {"encoded": 2, "kept": 2, "gone": 1}
    gone = pq.read_table(output / "sids-gone-00000-of-00001.parquet")
    assert gone["item_id"].to_pylist() == ["gone"]
    assert gone["embedding_digest"].to_pylist() == sid_table.digest(rows[1:2]).tolist()


def test_items_are_gone_until_they_return(tmp_path, model):
    rows = list(zip("abc", model.items(3), strict=True))
    found = []
    earlier = write_earlier(tmp_path / "first", rows, model.space)
    for day, today in enumerate(([rows[0]], [rows[0]], [rows[2], rows[0]])):
        folder = tmp_path / str(day)
        folder.mkdir()
        output = encode(folder, model, earlier, train=[today])
        ids, sids, _ = sid_table.read(str(output))
        found.append(dict(zip(ids, sids.tolist(), strict=True)))
        earlier = SemanticIds()
        earlier.uri = str(output)
        assert counts(output) == {"encoded": 0, "kept": len(today), "gone": 3 - len(today)}
    assert found == [{"a": [3, 0], "b": [3, 1], "c": [3, 2]}] * 3


def test_a_folder_with_items_that_are_gone_is_a_table_for_publishing(tmp_path, model):
    rows = list(zip("ab", model.items(2), strict=True))
    earlier = write_earlier(tmp_path / "earlier", rows, model.space)
    output = encode(tmp_path, model, earlier, train=[rows[:1]])
    batches = list(SidBatches.open(str(output)).read(0, 10))
    assert [ids for ids, _ in batches] == [["a"], ["b"]]


def test_without_earlier_ones_all_are_encoded_and_counted(tmp_path, model):
    output = encode(tmp_path, model, train=[[("a", model.items(1)[0])], []])
    assert counts(output) == {"encoded": 1, "kept": 0, "gone": 0}
    assert not (output / "sids-gone-00000-of-00001.parquet").exists()


def test_earlier_ones_of_another_space_are_refused_by_name(tmp_path, model):
    other = dataclasses.replace(model.space, fingerprint="0" * 16)
    rows = [("a", model.items(1)[0])]
    earlier = write_earlier(tmp_path / "earlier", rows, other)
    with pytest.raises(SidSpaceMismatchError, match=rf"{model.space.fingerprint}.*{'0' * 16}") as e:
        encode(tmp_path, model, earlier, train=[rows])
    assert "\n" not in str(e.value)
    assert list((tmp_path / "sids").iterdir()) == []
