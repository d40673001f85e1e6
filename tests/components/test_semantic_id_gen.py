"""SemanticIdGen on Beam: Examples of items in, a table of Semantic IDs out."""

import hashlib
import pathlib

import numpy as np
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.semantic_id_gen.executor import Executor
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from tests import exported_models
from tests.components.artifact_files import artifact
from tests.components.artifact_files import beam_context
from tests.components.artifact_files import example
from tests.components.artifact_files import write_example_files
from tests.components.tiny_rqvae import TinyRqVae


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return TinyRqVae(tmp_path_factory.mktemp("rqvae") / "model")


def encode(folder, model, **splits):
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
    Executor(beam_context(folder / "tmp")).Do(
        {"examples": [examples], "model": [model.artifact]}, {"semantic_ids": [output]}, {}
    )
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
    files = sorted(output.iterdir())
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
