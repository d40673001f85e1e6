"""The Releaser's executor, on artifacts made by hand."""

import json
import os
import pathlib
import shutil

import pytest
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import ReleasedModels
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.releaser.executor import Executor
from semantic_id_ranking.components.releaser.object_store import release_into_object_store
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import write_releases
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import open_store
from tests import exported_models
from tests import releases
from tests.release_world import write_sids

SPACE = exported_models.SPACE.fingerprint
OTHER = SidSpace("0123456789abcdef", 2, 100, 2)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Rankers and an encoder of one SID space, and a ranker of another."""
    folder = tmp_path_factory.mktemp("exported")
    models = {"encoder": {}, "1": {"factor": 2.0}, "2": {"factor": 3.0}, "other": {"space": OTHER}}
    for name, options in models.items():
        exported_models.export(folder / name / "Format-Serving", **options)
    return folder


class Output:
    """An output folder, in which the executor runs as in a pipeline."""

    def __init__(self, path, exported, store):
        self.path, self.exported, self.store = path, exported, store
        self.serving = str(path / "serving")

    def artifact(self, kind, uri, model=None):
        artifact = kind()
        artifact.uri = str(self.path / "artifacts" / uri)
        if model and not os.path.exists(artifact.uri):
            shutil.copytree(self.exported / model, artifact.uri)
        return artifact

    def do(self, ranker="1", blessed=True, keep_versions=3, items=3, renews_store=False):
        """Runs it; the artifact that says what was released."""
        blessing = self.artifact(standard_artifacts.ModelBlessing, "blessing")
        blessing.set_int_custom_property("blessed", int(blessed))
        inputs = {
            "ranker": self.artifact(standard_artifacts.Model, f"ranker/{ranker}", ranker),
            "semantic_id": self.artifact(standard_artifacts.Model, "encoder/1", "encoder"),
            "semantic_ids": self.artifact(SemanticIds, f"sids/{items}"),
            "state": self.artifact(State, "histories/1"),
            "model_blessing": blessing,
        }
        write_sids(pathlib.Path(inputs["semantic_ids"].uri), SPACE, items)
        output = self.artifact(ReleasedModels, f"release/{ranker}")
        config = {"serving": {"keep_versions": keep_versions, "store": self.store}}
        Executor().Do(
            {name: [artifact] for name, artifact in inputs.items()},
            {"release": [output]},
            {
                "serving": self.serving,
                "config": json.dumps(config),
                "renews_store": int(renews_store),
            },
        )
        return output

    def versions(self, name):
        return VersionFolder(os.path.join(self.serving, name)).versions()


@pytest.fixture
def output(tmp_path, exported):
    return Output(tmp_path / "output", exported, f"sqlite:///{tmp_path}/sids.sqlite")


def released(artifact):
    """What the artifact's file says."""
    return json.loads((pathlib.Path(artifact.uri) / "release.json").read_text())


def test_what_is_blessed_is_released_and_the_artifact_says_so(output):
    artifact = output.do()
    (ranker,), (encoder,) = output.versions("ranker"), output.versions("semantic_id")
    assert released(artifact) == {
        "versions": {"ranker": ranker, "semantic_id": encoder},
        "fingerprint": SPACE,
        # Relative to the output folder, which may be moved.
        "models": {
            "semantic_id": "artifacts/encoder/1/Format-Serving",
            "ranker": "artifacts/ranker/1/Format-Serving",
        },
        "semantic_ids": "artifacts/sids/3",
        "state": "artifacts/histories/1",
        "config": {"serving": {"keep_versions": 3, "store": output.store}},
    }
    assert artifact.get_int_custom_property("pushed") == 2
    assert read_releases(output.serving)[0].to_json() == released(artifact)
    with open_store(output.store) as store:
        assert store.count(SPACE) == 3


def test_what_is_not_blessed_changes_nothing(output):
    artifact = output.do(blessed=False)
    assert not os.path.exists(output.serving)
    assert not os.path.exists(artifact.uri)


def test_a_ranker_that_is_not_blessed_renews_the_store_of_the_served_one(output):
    output.do("2", blessed=False, items=4, renews_store=True)
    assert not os.path.exists(output.serving)
    assert not os.path.exists(output.path.parent / "sids.sqlite")
    output.do()
    before = read_releases(output.serving)
    artifact = output.do("2", blessed=False, items=4, renews_store=True)
    with open_store(output.store) as store:
        assert store.get(SPACE, ["item0", "item3"])[:, 0].tolist() == [0, 3]
    assert not os.path.exists(artifact.uri)
    assert read_releases(output.serving) == before
    assert len(output.versions("ranker")) == 1


def test_the_store_is_not_renewed_for_a_served_ranker_of_another_space(output):
    output.do()
    (served,) = read_releases(output.serving)
    write_releases(output.serving, [served.model_copy(update={"fingerprint": OTHER.fingerprint})])
    output.do("2", blessed=False, items=4, renews_store=True)
    with open_store(output.store) as store:
        assert store.count(SPACE) == 3


def test_a_second_ranker_of_the_space_is_pushed_alone_and_twice_never(output):
    output.do()
    assert output.do("2").get_int_custom_property("pushed") == 1
    assert output.do("2").get_int_custom_property("pushed") == 0
    assert [len(output.versions(name)) for name in ("ranker", "semantic_id")] == [2, 1]


def test_a_ranker_that_was_followed_or_rolled_back_does_not_come_again(output):
    output.do()
    output.do("2")
    first, second = output.versions("ranker")
    assert released(output.do("1"))["versions"]["ranker"] == first
    assert output.versions("ranker") == [first, second]
    folder = VersionFolder(f"{output.serving}/ranker")
    os.mkdir(f"{folder.path}/.rolled_back")
    os.rename(folder.version_path(second), folder.aside_path(second))
    artifact = output.do("2")
    assert released(artifact)["versions"]["ranker"] == second
    assert artifact.get_int_custom_property("pushed") == 0
    assert output.versions("ranker") == [first]


def test_a_model_that_does_not_answer_or_is_of_another_space_is_named(output):
    output.do()
    for ranker, fact in (
        ("2", r"pushed: .*/artifacts/ranker/2/Format-Serving: variables/\S+ is not as it was"),
        ("other", f"{SPACE} but .*/ranker/other/Format-Serving in 0123456789abcdef"),
    ):
        model = output.artifact(standard_artifacts.Model, f"ranker/{ranker}", ranker)
        if ranker == "2":
            data = f"{model.uri}/Format-Serving/variables/variables.data-00000-of-00001"
            exported_models.flip_bit(data, 2)
        with pytest.raises(InputError, match=fact):
            output.do(ranker)
        assert len(output.versions("ranker")) == 1
        assert not os.path.exists(os.path.join(output.serving, ".releasing.json"))


def test_into_an_object_store_saved_model_pb_is_copied_last(output, monkeypatch):
    """On a local path, which TFX's file system treats alike."""
    output.do()
    release = releases.release(
        fingerprint=SPACE,
        models=read_releases(output.serving)[0].models,
        config={"serving": {"store": None}},
    )
    shutil.rmtree(output.serving)
    copied = []
    copy = fileio.copy

    def note(source, target, **options):
        copied.append(os.path.relpath(target, output.serving))
        copy(source, target, **options)

    monkeypatch.setattr(fileio, "copy", note)
    outcome = release_into_object_store(output.serving, release)
    assert outcome.pushed == {"ranker", "semantic_id"}
    models = [name.split("/")[0] for name in copied]
    half = len(models) // 2
    assert set(models[:half]) == {"semantic_id"}
    assert set(models[half:]) == {"ranker"}
    assert [n for n, name in enumerate(copied) if name.endswith("saved_model.pb")] == [
        half - 1,
        len(models) - 1,
    ]
    assert read_releases(output.serving)[0].versions == outcome.versions
    again = release_into_object_store(output.serving, release)
    assert (again.versions, again.pushed) == (outcome.versions, frozenset())
    # Half a version, as a killed process leaves it, is none.
    os.remove(f"{output.serving}/ranker/{outcome.versions['ranker']}/saved_model.pb")
    anew = release_into_object_store(output.serving, release)
    assert anew.pushed == {"ranker"}
    assert anew.versions["ranker"] > outcome.versions["ranker"]
