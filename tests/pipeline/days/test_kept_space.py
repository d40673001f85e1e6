"""The choice between a trained SID space and a kept one."""

import dataclasses

import pytest

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.days.kept_space import space_of_run
from semantic_id_ranking.pipeline.days.ledger import ARTIFACTS
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig

CONFIG = Config()
TRAINED = SpaceRecord(items_digest="old", rqvae=to_dict(CONFIG.rqvae))


def released(output: str, space: SpaceRecord = TRAINED) -> None:
    """Writes the ledger of a released log and a day after it."""
    log, day = (
        DayRecord(
            number=number,
            start=f"2024-03-0{number}T00:00:00+00:00",
            digest=str(number),
            run_id=str(number),
            ranker_version=number,
            artifacts={name: f"artifacts/{name}/{number}" for name in ARTIFACTS},
        )
        for number in (1, 2)
    )
    Ledger(day_microseconds=86_400_000_000, space=space, days=[log, day]).write(output)


def test_the_first_run_trains(tmp_path):
    assert space_of_run(str(tmp_path), "old", CONFIG, False) == TRAINED


def test_a_run_with_other_items_keeps_the_space_and_all_semantic_ids_of_the_last_day(tmp_path):
    released(str(tmp_path))
    space = space_of_run(str(tmp_path), "new", CONFIG, False)
    assert space.model == "artifacts/rqvae/2"
    assert space.semantic_ids == "artifacts/semantic_ids/2"
    assert space.items_digest == "new"


def test_a_repeated_run_gets_what_it_got_before(tmp_path):
    released(str(tmp_path))
    assert space_of_run(str(tmp_path), "old", CONFIG, False) == TRAINED
    kept = TRAINED.model_copy(update={"model": "artifacts/rqvae/0", "semantic_ids": "sids/0"})
    released(str(tmp_path), kept)
    assert space_of_run(str(tmp_path), "old", CONFIG, False) == kept


def test_new_space_and_nothing_else_trains_again(tmp_path):
    released(str(tmp_path))
    other = dataclasses.replace(CONFIG, rqvae=RqVaeConfig(levels=3))
    with pytest.raises(ConfigError, match=r"rqvae: differs .* stays; .* give --new-space"):
        space_of_run(str(tmp_path), "new", other, False)
    assert space_of_run(str(tmp_path), "new", CONFIG, True).model is None
    trained = space_of_run(str(tmp_path), "new", other, True)
    assert trained == SpaceRecord(items_digest="new", rqvae=to_dict(other.rqvae))
