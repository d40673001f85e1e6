"""Random streams of a simulation, each of its own numbers."""

import numpy as np

TOPICS, USERS, ITEMS, EMBEDDINGS, DAYS = range(5)


def stream(seed: int, kind: int, number: int = 0) -> np.random.Generator:
    """A generator whose numbers depend on nothing that another one draws.

    Args:
        seed: Of the simulation.
        kind: One of the constants of this module.
        number: Of the block or the day.
    """
    return np.random.default_rng([seed, kind, number])
