"""Releases with what a test does not look at filled in."""

from semantic_id_ranking.components.releaser.release import Release


def release(**fields):
    """A release of the fields, and others that name nothing."""
    empty = {
        "fingerprint": "0" * 16,
        "models": {},
        "semantic_ids": "",
        "state": "",
        "config": {},
    }
    return Release(**{**empty, **fields})
