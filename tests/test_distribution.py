"""The archive of the checkout that Beam installs on remote workers."""

import tarfile

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.stager import Stager

from tests import FOLDERS
from tests import ROOT


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """Members of the archive that `--setup_file` leads to, by their path within it."""
    folder = tmp_path_factory.mktemp("staged")
    options = PipelineOptions([f"--setup_file={ROOT / 'setup.py'}"])
    Stager.create_job_resources(options, str(folder), log_submission_env_dependencies=False)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        return {member.name.partition("/")[2]: member for member in opened}


def test_it_holds_the_package_as_ordinary_files(staged):
    assert not [name for name, member in staged.items() if member.issym() or member.islnk()]
    for folder in FOLDERS:
        ours = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py")}
        packed = {
            name.removeprefix("semantic_id_ranking/")
            for name in staged
            if name.startswith(f"semantic_id_ranking/{folder}/") and name.endswith(".py")
        }
        assert packed == ours


def test_it_holds_the_data_of_the_package(staged):
    for folder in ("configs", "serving/deploy"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        assert files
        assert {f"semantic_id_ranking/{path.relative_to(ROOT)}" for path in files} <= set(staged)
    others = {"py.typed", "serving/client/messages.binpb"}
    assert {"LICENSE", *(f"semantic_id_ranking/{name}" for name in others)} <= set(staged)


def test_it_holds_nothing_beside_the_package(staged):
    beside = {name.partition("/")[0] for name in staged}
    assert not beside & {*FOLDERS, "tests", "benchmarks"}
