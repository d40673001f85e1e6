"""Configuration of the baselines."""

import typing

import pytest

from semantic_id_ranking.pipeline.config import Baseline
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.trainer.ranker.representations import Dense
from semantic_id_ranking.trainer.ranker.representations import RandomHash
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import SidPrefix


def test_every_representation_may_be_a_baseline():
    names = typing.get_args(Baseline)
    assert set(names) == {"item_rate", *REGISTRY}


def test_a_baseline_has_as_many_rows_as_the_representation():
    overrides = ["baselines=[item_rate, random_hash, dense, sid_prefix]", "rqvae.levels=2"]
    ngram = "representation={name: sid_ngram, rows: 9000, separate_tables: true}"
    config = load_config(overrides=[*overrides, "rqvae.codebook_size=16", ngram])
    assert config.trained_baselines == {
        "random_hash": RandomHash(rows=32, separate_tables=True),
        "dense": Dense(rows=32, separate_tables=True),
        "sid_prefix": SidPrefix(rows=32, separate_tables=True),
    }
    dense = load_config(overrides=["representation={name: dense, rows: 90}"])
    assert dense.trained_baselines == {"random_hash": RandomHash(rows=90)}


def test_a_baseline_that_the_rows_do_not_suit_is_named():
    overrides = ["representation={name: dense, rows: 64}", "baselines=[dense, sid_spm]"]
    with pytest.raises(ConfigError, match=r"baselines: sid_spm has rows: 64 is not .* 1025 at"):
        load_config(overrides=overrides)


def test_the_default_threshold_is_over_the_first_baseline_that_is_trained():
    (threshold,) = load_config(overrides=["baselines=[item_rate, dense]"]).effective_thresholds
    assert (threshold.peer, threshold.change) == ("dense", -0.01)
    (threshold,) = load_config(overrides=["baselines=[item_rate]"]).effective_thresholds
    assert threshold.peer == "item_rate"
