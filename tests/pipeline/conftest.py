"""Fixtures of the tests of days."""

import pytest

from tests.days_world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> World:
    """A log, three days, and an output folder after the first of them; nobody changes it."""
    return World(tmp_path_factory.mktemp("days"))
