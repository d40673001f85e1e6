"""A SID space that a run takes from another output folder."""

import dataclasses
import os
import pathlib
import shutil

import pytest

from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.components.releaser.release import write_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.days.kept_space import space_of_run
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord
from semantic_id_ranking.pipeline.days.taken_space import with_taken_rqvae
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from tests.pipeline.days.test_kept_space import released

RQVAE = RqVaeConfig(levels=3, codebook_size=16)


@pytest.fixture
def source(tmp_path) -> str:
    """An output folder with a release."""
    output = str(tmp_path / "source")
    for name in ("rqvae", "semantic_ids"):
        folder = pathlib.Path(output, "artifacts", name, "2", "inside")
        folder.mkdir(parents=True)
        (folder / "file").write_text(name)
    released(output, SpaceRecord(items_digest="theirs", rqvae=to_dict(RQVAE)))
    release = Release(
        versions={"ranker": 2},
        fingerprint="f" * 16,
        models={"ranker": "artifacts/ranker/2/Format-Serving"},
        semantic_ids="",
        state="",
        config={},
    )
    os.makedirs(os.path.join(output, "serving"))
    write_releases(os.path.join(output, "serving"), [release])
    return output


def test_its_rqvae_and_semantic_ids_are_copied_and_its_configuration_is_taken(source, tmp_path):
    config = with_taken_rqvae(
        load_config(overrides=[f"rqvae.model={source}"]), str(tmp_path / "output")
    )
    assert config.rqvae == dataclasses.replace(RQVAE, model=source)
    output = str(tmp_path / "output")
    space = space_of_run(output, "ours", config, False)
    for name, path in (("rqvae", space.model), ("semantic_ids", space.semantic_ids)):
        assert pathlib.Path(output, path, "inside", "file").read_text() == name
    assert sorted(os.listdir(os.path.join(output, "spaces"))) == ["f" * 16]
    assert space_of_run(output, "ours", config, False) == space


def test_what_was_released_before_stays_unless_another_space_is_asked_for(source, tmp_path):
    output = str(tmp_path / "output")
    os.makedirs(output)
    released(output)
    config = with_taken_rqvae(Config(rqvae=RqVaeConfig(model=source)), output)
    with pytest.raises(ConfigError, match="give --new-space to have another"):
        space_of_run(output, "ours", config, False)
    assert space_of_run(output, "ours", config, True).model == "spaces/ffffffffffffffff/rqvae"


def test_a_run_that_is_repeated_needs_the_other_folder_no_more(source, tmp_path):
    output = str(tmp_path / "output")
    given = load_config(overrides=[f"rqvae.model={source}"])
    config = with_taken_rqvae(given, output)
    released(output, space_of_run(output, "ours", config, False))
    shutil.rmtree(source)
    assert with_taken_rqvae(given, output) == config
    assert space_of_run(output, "ours", config, False).model == "spaces/ffffffffffffffff/rqvae"
    with pytest.raises(InputError, match="nothing is released"):
        space_of_run(output, "ours", config, True)


def test_without_a_model_nothing_changes(tmp_path):
    assert with_taken_rqvae(Config(), str(tmp_path)) == Config()


def test_what_does_not_fit_is_named(source, tmp_path):
    config = load_config(overrides=[f"rqvae.model={source}", "rqvae.levels=5"])
    with pytest.raises(ConfigError, match=r"rqvae\.levels: 5 is not what .* with, 3; leave it out"):
        with_taken_rqvae(config, str(tmp_path))
    with pytest.raises(InputError, match=r"rqvae\.model: nothing is released in .*/nowhere"):
        with_taken_rqvae(load_config(overrides=[f"rqvae.model={tmp_path}/nowhere"]), str(tmp_path))
