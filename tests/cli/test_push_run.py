"""`sid push --run`: a finished run released again."""

import io
import pathlib
import shutil

import pytest
import rich.console

from semantic_id_ranking.cli import push
from semantic_id_ranking.cli.push_run import push_run
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.pipeline.blessed import write_blessed
from tests import exported_models
from tests import releases

NAMES = ("ranker", "semantic_id")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Models by factor, and one of another SID space."""
    folder = tmp_path_factory.mktemp("exported")
    for factor in (1, 2, 3):
        exported_models.export(folder / str(factor), float(factor))
    exported_models.export(folder / "other", space=SidSpace("0123456789abcdef", 2, 100, 2))
    return folder


@pytest.fixture
def run(tmp_path, exported):
    path = tmp_path / "run"
    path.mkdir()
    (path / "exported").symlink_to(exported)
    return path


@pytest.fixture
def blessed(exported, run):
    """Makes a run into the folder that was blessed, of one model under both names."""

    def train(name, ranker=None, keep_versions=3):
        models = {"semantic_id": f"artifacts/{name}/s", "ranker": f"artifacts/{name}/r"}
        shutil.copytree(exported / name, run / models["semantic_id"], dirs_exist_ok=True)
        shutil.copytree(exported / (ranker or name), run / models["ranker"], dirs_exist_ok=True)
        config = {"serving": {"keep_versions": keep_versions}}
        release = releases.release(fingerprint=name, models=models, config=config)
        write_blessed(str(run), release)

    return train


def released(run):
    printed = io.StringIO()
    push_run(str(run), rich.console.Console(file=printed, width=300))
    return printed.getvalue()


def served(run, name="ranker"):
    """The versions, oldest first, by the factor of the model that each is."""
    folder = VersionFolder(str(run / "serving" / name))
    models = {str(factor): run / "exported" / str(factor) for factor in (1, 2, 3)}
    return [
        next(f for f, path in models.items() if _same(folder, number, path))
        for number in folder.versions()
    ]


def _same(folder, version, model):
    path = pathlib.Path(folder.version_path(version))
    return all(
        (path / file.relative_to(model)).read_bytes() == file.read_bytes()
        for file in model.rglob("*")
        if file.is_file()
    )


def newest(run):
    return {name: VersionFolder(str(run / "serving" / name)).versions()[-1] for name in NAMES}


def refused(run, fact):
    serving = run / "serving"
    before = sorted(serving.rglob("*"))
    with pytest.raises(InputError, match=fact) as error:
        released(run)
    assert "\n" not in str(error.value)
    assert sorted(serving.rglob("*")) == before


def test_a_run_is_released_also_after_what_was_served_is_lost(run, blessed):
    blessed("1")
    assert "ranker: version" in released(run)
    assert (served(run), served(run, "semantic_id")) == (["1"], ["1"])
    shutil.rmtree(run / "serving")
    assert released(run).count("is pushed") == 2
    assert served(run) == ["1"]
    (release,) = read_releases(str(run / "serving"))
    assert (release.fingerprint, release.versions) == ("1", newest(run))


def test_the_same_models_are_never_pushed_twice(run, blessed):
    blessed("1")
    released(run)
    before = newest(run)
    assert released(run).count("is served already") == 2
    assert newest(run) == before
    assert len(read_releases(str(run / "serving"))) == 1


def test_a_rollback_leads_back_and_another_push_forward_again(run, blessed):
    for name in ("1", "2"):
        blessed(name)
        released(run)
    console = rich.console.Console(file=io.StringIO())
    for _ in range(2):
        push.rollback(str(run / "serving"), None, console)
        # A model server that serves the newer ranker still finds its encoder.
        assert (served(run), served(run, "semantic_id")) == (["1"], ["1", "2"])
        released(run)
        assert (served(run), served(run, "semantic_id")) == (["1", "2"], ["1", "2"])
        assert [r.fingerprint for r in read_releases(str(run / "serving"))] == ["2", "1"]


def test_a_rollback_leads_back_where_one_model_stayed(run, blessed):
    blessed("1")
    released(run)
    blessed("1", ranker="2")
    released(run)
    assert (served(run), served(run, "semantic_id")) == (["1", "2"], ["1"])
    push.rollback(str(run / "serving"), None, rich.console.Console(file=io.StringIO()))
    assert (served(run), served(run, "semantic_id")) == (["1"], ["1"])
    assert read_releases(str(run / "serving"))[0].versions == newest(run)


def test_an_older_ranker_becomes_the_newest_without_a_copy(run, blessed):
    for name in ("1", "2", "1"):
        blessed(name)
        released(run)
    assert (served(run), served(run, "semantic_id")) == (["2", "1"], ["1", "2"])
    assert read_releases(str(run / "serving"))[0].versions["ranker"] == newest(run)["ranker"]
    push.rollback(str(run / "serving"), None, rich.console.Console(file=io.StringIO()))
    assert served(run) == ["2"]
    assert [r.fingerprint for r in read_releases(str(run / "serving"))] == ["2"]


def test_only_so_many_versions_are_kept(run, blessed):
    for name in ("1", "2", "3"):
        blessed(name, keep_versions=2)
        released(run)
    assert served(run) == ["2", "3"]


def test_a_folder_that_was_moved_is_released_where_it_is(run, blessed, tmp_path):
    blessed("1")
    run.rename(tmp_path / "elsewhere")
    released(tmp_path / "elsewhere")
    assert served(tmp_path / "elsewhere") == ["1"]
    assert str(run) not in (tmp_path / "elsewhere" / "serving" / "release.json").read_text()


def test_what_cannot_be_released_is_named_and_what_is_served_stays(run, blessed):
    blessed("1")
    released(run)
    blessed("2", ranker="other")
    refused(run, "abcdefabcdefabcd but .*artifacts/2/r in 0123456789abcdef")
    blessed("3")
    exported_models.flip_bit(run / "artifacts/3/r/variables/variables.data-00000-of-00001", 3)
    refused(run, r"nothing is pushed: .*/artifacts/3/r: variables/variables\.data\S+ is not as it")
    shutil.rmtree(run / "artifacts" / "3" / "s")
    refused(run, "artifacts/3/s: no such folder; .* no longer has the model")


def test_a_folder_without_a_blessed_run_is_named(run):
    refused(run, r"blessed\.json: no such file; .*/run holds no run that was blessed")
