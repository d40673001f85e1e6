"""SidTokenizerTrainer: counts of training impressions in, a tokenizer and its vocabulary out."""

import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
import pytest
import sentencepiece
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.sid_tokenizer_trainer.executor import Executor
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.contracts.sid_space import SidSpace
from tests.components import tiny_rqvae
from tests.components.artifact_files import artifact
from tests.components.artifact_files import beam_context
from tests.components.artifact_files import example
from tests.components.artifact_files import write_example_files
from tests.components.tiny_rqvae import TinyRqVae

# Impressions of each item, in training and in the evaluation. Items b and e have one Semantic ID.
SIDS = {"a": [0, 1], "b": [2, 3], "c": [1, 1], "d": [3, 0], "e": [2, 3]}
TRAIN = {"a": 40, "b": 3, "c": 2, "e": 1, "nobody": 9}
EVALUATION = {"b": 90, "d": 50}
# Of 2 x 4 codes, <unk> and one more piece.
ROWS = tiny_rqvae.LEVELS * tiny_rqvae.CODES + 2


@pytest.fixture(scope="module")
def rqvae(tmp_path_factory):
    return TinyRqVae(tmp_path_factory.mktemp("rqvae") / "model")


def train(folder, rqvae, space):
    """Trains on impressions in two files; returns the folder of the tokenizer."""
    table = sid_table.to_table(
        np.array(list(SIDS), object),
        np.array(list(SIDS.values()), np.int32),
        np.zeros(len(SIDS), np.int64),
        space,
    )
    sids = artifact(SemanticIds, folder / "sids")
    pq.write_table(table, f"{sids.uri}/sids.parquet")
    rows = {
        split: [example(item_id=item.encode()) for item, n in counts.items() for _ in range(n)]
        for split, counts in (("train", TRAIN), ("eval", EVALUATION))
    }
    impressions = write_example_files(
        artifact(standard_artifacts.Examples, folder / "impressions"),
        train=[rows["train"][:20], rows["train"][20:]],
        eval=[rows["eval"]],
    )
    model = artifact(standard_artifacts.Model, folder / "tokenizer")
    Executor(beam_context(folder / "tmp")).Do(
        {"semantic_ids": [sids], "examples": [impressions], "rqvae": [rqvae.artifact]},
        {"model": [model]},
        {"rows": ROWS, "config": json.dumps({"model": "unigram", "max_piece_codes": 2})},
    )
    return pathlib.Path(model.uri, "Format-Serving")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory, rqvae):
    return train(tmp_path_factory.mktemp("trained"), rqvae, rqvae.space)


def test_the_vocabulary_is_the_items_with_training_impressions(tokenizer):
    with np.load(tokenizer / "impressed_items.npz") as items:
        ids = items["item_ids"].tolist()
        impressions = dict(zip(ids, items["impressions"].tolist(), strict=True))
        sids = dict(zip(ids, items["sids"].tolist(), strict=True))
    assert impressions == {b"a": 40, b"b": 3, b"c": 2, b"e": 1}
    assert sids == {item: SIDS[item.decode()] for item in impressions}


def test_the_one_spare_piece_is_what_training_shows_most(tokenizer):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer / "spm.model"))

    def pieces(*sid):
        # The character of a code: U+F0000 + level x codebook size + code.
        text = "".join(
            chr(0xF0000 + level * tiny_rqvae.CODES + code) for level, code in enumerate(sid)
        )
        return len(processor.encode(text))

    assert processor.get_piece_size() == ROWS
    # The evaluation alone would have chosen the pair (2, 3).
    assert (pieces(0, 1), pieces(2, 3), pieces(3, 0)) == (1, 2, 2)
    statistics = json.loads((tokenizer / "tokenizer.json").read_text())
    # 40 impressions of one piece, 3 + 2 + 1 of two.
    assert statistics == {
        "pieces": ROWS,
        "multi_code_pieces": 1,
        "mean_pieces_per_impression": pytest.approx((40 * 1 + 6 * 2) / 46),
        "model": "unigram",
    }


def test_space_and_codebooks_go_with_the_tokenizer(tokenizer, rqvae):
    assert SidSpace.load(str(tokenizer / "assets.extra")) == rqvae.space
    codebooks = np.load(tokenizer / "assets.extra" / "codebooks.npy")
    np.testing.assert_array_equal(codebooks, rqvae.codebooks)


def test_semantic_ids_of_another_rqvae_are_refused(tmp_path, rqvae):
    other = SidSpace("0" * 16, tiny_rqvae.LEVELS, tiny_rqvae.CODES, tiny_rqvae.DIM)
    with pytest.raises(SidSpaceMismatchError, match=f"the RQ-VAE .*{rqvae.space.fingerprint}"):
        train(tmp_path, rqvae, other)
