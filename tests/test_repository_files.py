"""Agreement of files that repeat versions, targets and links."""

import re

import pytest
import yaml

from tests import ROOT

TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def package_version() -> str:
    return re.search(r'^version = "(.+)"$', read("pyproject.toml"), re.MULTILINE)[1]


def test_the_hooks_have_the_version_of_the_locks():
    (hooks,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    for lock in (ROOT / "requirements").glob("python3.*.txt"):
        (locked,) = re.findall(r"^ruff==(.+)$", lock.read_text(encoding="utf-8"), re.MULTILINE)
        assert hooks["rev"] == f"v{locked}"


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == package_version()
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_changelog_has_this_version():
    assert package_version() in read("CHANGELOG.md")


def test_the_hosted_integration_runs_what_the_local_one_does():
    jobs = yaml.safe_load(read(".github/workflows/ci.yml"))["jobs"]
    hosted, pythons = set(), set()
    for job in jobs.values():
        for step in job["steps"]:
            if "run" in step:
                program, target, *_ = step["run"].split()
                assert program == "make"
                hosted.add(target)
            pythons |= {step.get("with", {}).get("python-version")} - {None}
    lines = re.findall(r"^ *make --no-print-directory ([a-z -]+)", read(".ci/run"), re.MULTILINE)
    # Its lanes are `test`, on two versions of Python; a PyTorch may be 2.4 GB to fetch.
    assert hosted == {"test", "test-pytorch", *" ".join(lines).split()}
    assert pythons == {"3.10", "3.13"}


@pytest.mark.parametrize("name", TOP)
def test_links_lead_to_files(name):
    """Those of the pages are checked by `make docs`."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", read(name)):
        assert (ROOT / target).exists(), target


def test_the_readme_is_short_and_has_its_headings():
    text = read("README.md")
    assert len(text.splitlines()) < 300
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [
        "Quick start",
        "Architecture",
        "Your own data",
        "Representations",
        "Serving",
        "Deployment",
        "Repository layout",
    ]
