import pytest

from semantic_id_ranking.pipeline.code_version import code_version


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "some_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "work.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_changes_with_the_code_and_with_nothing_else(package):
    before = code_version("some_package")
    (package / "notes.txt").write_text("no code")
    assert code_version("some_package") == before
    (package / "work.py").write_text("A = 2\n")
    assert code_version("some_package") != before


def test_a_module_alone_does_not_see_its_siblings(package):
    (package / "other.py").write_text("B = 1\n")
    before = code_version("some_package.work")
    (package / "other.py").write_text("B = 2\n")
    assert code_version("some_package.work") == before


def test_an_unknown_module_is_named():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        code_version("no_such_module")
