"""The version that is taken from a base folder."""

import json

import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.version_folders import latest_saved_model


@pytest.fixture
def base_path(tmp_path):
    for version in ("9", "10", ".rolled_back/11"):
        (tmp_path / "semantic_id" / version).mkdir(parents=True)
        (tmp_path / "semantic_id" / version / "saved_model.pb").touch()
    return tmp_path / "semantic_id"


def test_without_a_release_the_latest_is_taken(base_path):
    assert latest_saved_model(str(base_path)) == f"{base_path}/10"
    assert latest_saved_model(f"{base_path}/9") == f"{base_path}/9"


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ({"versions": {"semantic_id": 9, "ranker": 3}}, 9),
        ({"versions": {"semantic_id": 11}}, 10),
        ({"versions": {"ranker": 9}}, 10),
        ({}, 10),
        ([], 10),
    ],
)
def test_after_a_rollback_the_encoder_of_the_release_is_taken(base_path, release, version):
    (base_path.parent / "release.json").write_text(json.dumps(release))
    assert latest_saved_model(str(base_path)) == f"{base_path}/{version}"
    assert latest_saved_model(f"{base_path}/") == f"{base_path}/{version}"


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no SavedModel"):
        latest_saved_model(str(tmp_path))
