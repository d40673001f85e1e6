"""MovieLens as the pipeline's input: 9,066 films, 100,004 ratings by 671 people from 1995 to 2016.

`prepare` writes three files: `items.parquet` and `impressions.parquet`, which the pipeline reads,
and `new_item.parquet`, one film that the pipeline never sees and that the finished model encodes.
"""

import dataclasses
import os
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from semantic_id_ranking.cli.demo.film_credits import find_credits
from semantic_id_ranking.cli.demo.film_credits import readable_title
from semantic_id_ranking.cli.demo.movielens_source import MovieLensSource

#: Changes whenever the files would come out different.
RECIPE = "1"

_BATCH = 256
_NEW_FRACTION = 0.1
_NO_GENRES = "(no genres listed)"
_RECIPE_KEY = b"movielens_recipe"
_CREDITED_KEY = b"movielens_films_with_credits"


@dataclasses.dataclass(frozen=True)
class MovieLensData:
    """The prepared files.

    Attributes:
        items: Path of the films: item_id, title, year, genres, embedding.
        impressions: Path of the ratings: user_id, item_id, timestamp, like (1 from 4 stars up),
            rating (stars, 0.5 .. 5).
        new_item: Path of the film left out of both, in the form of `items`.
        films: Number of films in `items`.
        films_with_credits: Number of films, the one left out included, whose director or cast is
            known.
    """

    items: str
    impressions: str
    new_item: str
    films: int
    films_with_credits: int


def prepare(
    directory: str,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    source: Callable[[], MovieLensSource] = MovieLensSource.from_packages,
) -> MovieLensData:
    """Writes the files, unless they are there already; then they are not touched.

    Args:
        directory: Folder of the files, made if need be.
        on_progress: Called with the number of films encoded so far and the number of all.
        source: Gives the data; not called where the files are there.

    Returns:
        Where the files are, and what they hold.

    Raises:
        ModuleNotFoundError: The packages of the demonstration are not installed.
    """
    names = ("items", "impressions", "new_item")
    paths = {name: os.path.join(directory, f"{name}.parquet") for name in names}
    if not all(_is_current(path) for path in paths.values()):
        os.makedirs(directory, exist_ok=True)
        for name, table in _make(source(), on_progress).items():
            _write(table, paths[name])
    items = pq.read_metadata(paths["items"])
    return MovieLensData(
        **paths, films=items.num_rows, films_with_credits=int(items.metadata[_CREDITED_KEY])
    )


def film_text(
    title: str | None,
    year: float | None,
    genres: str | None,
    director: str | None,
    cast: str | None,
) -> str:
    """The encoder's text for a film: `Rush (2013). Action, Drama. Ron Howard, Daniel Brühl`.

    Args:
        title: The readable title, or None.
        year: Year of release; left out without a title.
        genres: Genres joined by commas, or None.
        director: Names joined by commas, or None.
        cast: Names joined by commas, or None.

    Returns:
        The parts that are known.
    """
    heading = "Untitled film" if title is None else title
    if title is not None and year is not None and not pd.isna(year):
        heading = f"{heading} ({int(year)})"
    people = ", ".join(part for part in (director, cast) if part)
    return ". ".join(part for part in (heading, genres, people) if part)


def _make(source: MovieLensSource, on_progress: Callable[[int, int], None]) -> dict[str, pa.Table]:
    films = _films(source)
    embeddings = []
    for start in range(0, len(films), _BATCH):
        embeddings.append(source.encode(films["text"].iloc[start : start + _BATCH].tolist()))
        on_progress(min(start + _BATCH, len(films)), len(films))
    items = _item_table(films, np.concatenate(embeddings))
    new_item = str(_new_film(source.ratings))
    is_new = pc.equal(items["item_id"], new_item)
    impressions = _impression_table(source.ratings)
    tables = {
        "items": items.filter(pc.invert(is_new)),
        "impressions": impressions.filter(pc.not_equal(impressions["item_id"], new_item)),
        "new_item": items.filter(is_new),
    }
    credited = int(films[["director", "cast"]].notna().any(axis=1).sum())
    stamp = {_RECIPE_KEY: RECIPE.encode(), _CREDITED_KEY: str(credited).encode()}
    return {name: table.replace_schema_metadata(stamp) for name, table in tables.items()}


def _films(source: MovieLensSource) -> pd.DataFrame:
    """One row a film, by movieId: title, year, genres, director, cast, text; None where unknown."""
    films = source.ratings.drop_duplicates("movieId").set_index("movieId").sort_index()
    films = films[["title", "year", "genres"]].join(find_credits(films, source.credits))
    films["title"] = [None if pd.isna(t) else readable_title(t) for t in films["title"]]
    films["genres"] = [None if g == _NO_GENRES else g.replace("|", ", ") for g in films["genres"]]
    columns = ("title", "year", "genres", "director", "cast")
    films["text"] = [film_text(*row) for row in films[list(columns)].itertuples(index=False)]
    return films


def _new_film(ratings: pd.DataFrame) -> int:
    """The film, among those first rated in the last tenth of the ratings, that most people rated.

    People know it and can judge what the model makes of it. Of equals, the lowest movieId.
    """
    start = ratings["timestamp"].sort_values().iloc[int((1 - _NEW_FRACTION) * len(ratings))]
    by_film = ratings.groupby("movieId")["timestamp"].agg(["min", "size"])
    return int(by_film.loc[by_film["min"] >= start, "size"].idxmax())


def _item_table(films: pd.DataFrame, embeddings: np.ndarray) -> pa.Table:
    rows, width = embeddings.shape
    offsets = pa.array(np.arange(rows + 1) * width, pa.int32())
    values = pa.array(embeddings.astype(np.float32).ravel())
    return pa.table(
        {
            "item_id": pa.array(films.index.astype(str), pa.string()),
            "title": pa.array(films["title"], pa.string()),
            "year": pa.array(films["year"].astype("Int32"), pa.int32()),
            "genres": pa.array(films["genres"], pa.string()),
            "embedding": pa.ListArray.from_arrays(offsets, values),
        }
    )


def _impression_table(ratings: pd.DataFrame) -> pa.Table:
    ratings = ratings.sort_values(["timestamp", "userId", "movieId"])
    seconds = pd.to_datetime(ratings["timestamp"], unit="s", utc=True)
    return pa.table(
        {
            "user_id": pa.array(ratings["userId"].astype(str), pa.string()),
            "item_id": pa.array(ratings["movieId"].astype(str), pa.string()),
            "timestamp": pa.array(seconds, pa.timestamp("us", tz="UTC")),
            "like": pa.array((ratings["rating"] >= 4).astype("int8"), pa.int8()),
            "rating": pa.array(ratings["rating"].astype("float32"), pa.float32()),
        }
    )


def _is_current(path: str) -> bool:
    try:
        metadata = pq.read_metadata(path).metadata
    except (OSError, pa.ArrowInvalid):
        return False
    return (metadata or {}).get(_RECIPE_KEY) == RECIPE.encode()


def _write(table: pa.Table, path: str) -> None:
    """Writes a file that appears whole, whatever happens to this process."""
    folder, name = os.path.split(path)
    # The same name in each process: what a killed one left is overwritten. The demonstration holds
    # the lock of the output folder.
    temporary = os.path.join(folder, f".{name}.tmp")
    try:
        pq.write_table(table, temporary)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
