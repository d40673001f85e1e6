"""Fixtures of the command line's tests."""

import importlib.metadata

import pytest


@pytest.fixture
def uninstall(monkeypatch):
    """Function that makes the metadata of a distribution vanish from this environment."""
    installed = importlib.metadata.version
    gone = set()

    def version(name):
        if name in gone:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    return gone.add
