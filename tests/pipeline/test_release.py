"""`release.json` and `blessed.json` as files."""

import json

import pytest

from semantic_id_ranking.cli.catalogue import Catalogue
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import write_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.blessed import read_blessed
from semantic_id_ranking.pipeline.blessed import write_blessed

BLESSED = {
    "fingerprint": "0123456789abcdef",
    "models": {"semantic_id": "artifacts/s/1", "ranker": "artifacts/r/2"},
    "semantic_ids": "artifacts/i/3",
    "state": "artifacts/h/4",
    "config": {"tasks": [{"name": "click", "weight": 1.0}], "context": {"numeric": []}},
}
RELEASE = {
    "versions": {"ranker": 2, "semantic_id": 12},
    **BLESSED,
    "before": [{"versions": {"ranker": 1, "semantic_id": 11}, **BLESSED}],
}


def test_releases_are_written_as_they_are_read(tmp_path):
    path = tmp_path / "release.json"
    path.write_text(json.dumps(RELEASE), encoding="utf-8")
    releases = read_releases(str(tmp_path))
    assert [release.versions["ranker"] for release in releases] == [2, 1]
    assert releases[0].models["ranker"] == "artifacts/r/2"
    write_releases(str(tmp_path), releases)
    assert path.read_text(encoding="utf-8") == json.dumps(RELEASE, indent=2)


def test_keys_of_a_later_version_are_kept(tmp_path):
    later = {**RELEASE, "gate": {"auc": 0.75}}
    later["before"] = [{**later["before"][0], "gate": None}]
    path = tmp_path / "release.json"
    path.write_text(json.dumps(later), encoding="utf-8")
    write_releases(str(tmp_path), read_releases(str(tmp_path)))
    assert json.loads(path.read_text(encoding="utf-8")) == later


def test_what_was_blessed_has_no_versions_until_it_is_released(tmp_path):
    path = tmp_path / "blessed.json"
    path.write_text(json.dumps(BLESSED), encoding="utf-8")
    blessed = read_blessed(str(tmp_path))
    write_blessed(str(tmp_path), blessed)
    assert path.read_text(encoding="utf-8") == json.dumps(BLESSED, indent=2)
    released = blessed.with_versions({"ranker": 2}).to_json()
    assert released == {"versions": {"ranker": 2}, **BLESSED}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (json.dumps(RELEASE)[:40], "invalid JSON: EOF while parsing"),
        (
            json.dumps({**RELEASE, "versions": {"ranker": "2"}}),
            r"versions\.ranker: '2' is not allowed",
        ),
        (json.dumps({**RELEASE, "before": [{}]}), r"before\.0\.fingerprint: is missing"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, text, fact):
    serving = tmp_path / "serving"
    serving.mkdir()
    (serving / "release.json").write_text(text, encoding="utf-8")
    (tmp_path / "blessed.json").write_text("{}", encoding="utf-8")
    for read, folder in ((read_releases, serving), (Catalogue.load, tmp_path)):
        with pytest.raises(InputError, match=rf"/release\.json: is damaged \({fact}"):
            read(str(folder))
    with pytest.raises(InputError, match=r"/blessed\.json: is damaged \(fingerprint: is missing"):
        read_blessed(str(tmp_path))
