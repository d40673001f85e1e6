"""`sid rank`: items of a run ranked for a user, through a model server."""

import dataclasses
import glob
import json
import os
import random
import time
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as pq
import rich.console
import rich.table

from components.errors import InputError

_DEFAULT_CANDIDATES = 500


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """What a client knows of a run's items and users: the feature store of a small deployment.

    Attributes:
        sids: item_id -> Semantic ID.
        titles: item_id -> title, of the items that have one.
        histories: user_id -> item_ids, most recent first.
        fingerprint: The SID space of `sids`.
        categorical: Categorical context columns.
        numeric: Numeric context columns.
        task: The task that candidates are sorted by.
    """

    sids: Mapping[str, Sequence[int]]
    titles: Mapping[str, str]
    histories: Mapping[str, Sequence[str]]
    fingerprint: str
    categorical: Sequence[str]
    numeric: Sequence[str]
    task: str

    @classmethod
    def load(cls, run: str) -> "Catalogue":
        """Reads what belongs to the models that a run pushed last.

        Args:
            run: Output folder of the run.

        Raises:
            InputError: The run pushed nothing.
        """
        path = os.path.join(run, "serving", "release.json")
        try:
            with open(path, encoding="utf-8") as file:
                release = json.load(file)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file; {run} holds no run that was pushed") from None
        sids = _read_columns(release["semantic_ids"], ["item_id", "sid"])
        histories = _read_columns(release["histories"], ["user_id", "item_id"])
        config = release["config"]
        columns = config["columns"]
        titles = {}
        if columns["title"] in pq.read_schema(release["items"]).names:
            table = pq.read_table(
                release["items"], columns=[columns["item_id"], columns["title"]]
            ).to_pydict()
            titles = dict(
                zip(map(str, table[columns["item_id"]]), table[columns["title"]], strict=True)
            )
        return cls(
            sids=dict(zip(sids["item_id"], sids["sid"], strict=True)),
            titles=titles,
            histories=dict(zip(histories["user_id"], histories["item_id"], strict=True)),
            fingerprint=release["fingerprint"],
            **config["context"],
            task=config["tasks"][0]["name"],
        )

    def context(self, settings: Sequence[str]) -> dict[str, str | float]:
        """Values of the context columns.

        Args:
            settings: `column=value`, one for each context column.

        Raises:
            InputError: A column is missing or unknown, or a value is no number where one is needed.
        """
        values: dict[str, str | float] = {}
        for setting in settings:
            column, separator, value = setting.partition("=")
            if column in self.categorical and separator:
                values[column] = value
            elif column in self.numeric and separator:
                try:
                    values[column] = float(value)
                except ValueError:
                    raise InputError(f"--context {setting}: {value!r} is not a number") from None
            else:
                known = ", ".join([*self.categorical, *self.numeric]) or "none"
                raise InputError(
                    f"--context {setting}: write column=value; the context columns are {known}"
                )
        for column in (*self.categorical, *self.numeric):
            if column not in values:
                raise InputError(f"--context {column}=…: is missing; the ranker reads this column")
        return values


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Items to be ranked.

    Attributes:
        item_ids: Their ids.
        embeddings: item_id -> content embedding [D], of those that came with one.
        titles: item_id -> title, of those that came with one.
    """

    item_ids: list[str]
    embeddings: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    titles: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def load(cls, path: str) -> "Candidates":
        """Reads candidates.

        Args:
            path: A text file with an item_id a line, or Parquet with `item_id` and, where there are
                any, `embedding` and `title`.

        Raises:
            InputError: The file is missing, empty or of another form.
        """
        if not os.path.isfile(path):
            raise InputError(f"{path}: no such file")
        if not path.endswith(".parquet"):
            with open(path, encoding="utf-8") as file:
                item_ids = [line.strip() for line in file if line.strip()]
            if not item_ids:
                raise InputError(f"{path}: is empty; an item_id a line is needed")
            return cls(item_ids)
        from components.parquet.row_group import read_schema

        names = read_schema(path, {"item_id": "the id of the item"}).names
        wanted = [name for name in ("item_id", "embedding", "title") if name in names]
        table = pq.read_table(path, columns=wanted).to_pydict()
        item_ids = [str(item_id) for item_id in table["item_id"]]
        given = {
            name: {
                i: value
                for i, value in zip(item_ids, table[name], strict=True)
                if value is not None
            }
            for name in wanted[1:]
        }
        embeddings = given.get("embedding", {})
        return cls(
            item_ids,
            {i: np.asarray(embedding, np.float32) for i, embedding in embeddings.items()},
            given.get("title", {}),
        )


def rank(
    run: str,
    user: str,
    candidates: str | None,
    context: Sequence[str],
    top: int,
    address: str,
    console: rich.console.Console,
) -> None:
    """Ranks and shows.

    Args:
        run: Output folder of a run.
        user: The user.
        candidates: File of candidates; None takes some of the run's items at random.
        context: `column=value` for each context column of the run.
        top: Items shown.
        address: host:port of the model server.
        console: Where to show them.

    Raises:
        InputError: A file is missing or of the wrong form, or the server does not answer or serves
            another SID space.
    """
    catalogue = Catalogue.load(run)
    if candidates is None:
        known = sorted(catalogue.sids)
        chosen = Candidates(random.Random(0).sample(known, min(_DEFAULT_CANDIDATES, len(known))))
    else:
        chosen = Candidates.load(candidates)
    values = catalogue.context(context)
    from serving.client import ModelCallError
    from serving.client import SidSpaceMismatchError

    try:
        show_ranking(catalogue, chosen, user, values, top, address, console)
    except (ModelCallError, SidSpaceMismatchError) as error:
        raise InputError(f"the model server at {address}: {error}") from error


def show_ranking(
    catalogue: Catalogue,
    candidates: Candidates,
    user: str,
    context: Mapping[str, str | float],
    top: int,
    address: str,
    console: rich.console.Console,
    always: Sequence[str] = (),
) -> None:
    """Ranks candidates for a user through a model server and shows the best.

    Args:
        catalogue: Semantic IDs, titles and histories.
        candidates: What is ranked.
        user: The user; one without a history is ranked for all the same.
        context: Values of the context columns.
        top: Items shown.
        address: host:port of the model server.
        console: Where to show them.
        always: Items shown whatever their place.
    """
    from serving.client import EncoderClient
    from serving.client import RankerClient
    from serving.ranking import rank_items

    history = catalogue.histories.get(user, [])
    titles = {**catalogue.titles, **candidates.titles}
    with (
        RankerClient(address, sid_fingerprint=catalogue.fingerprint) as ranker,
        EncoderClient(address, sid_fingerprint=catalogue.fingerprint) as encoder,
    ):
        # The server traces a model at its first request: the second one shows what serving costs.
        for _ in range(2):
            begin = time.monotonic()
            rows = rank_items(
                ranker,
                candidates.item_ids,
                catalogue.sids,
                embeddings=candidates.embeddings,
                encoder=encoder,
                titles=titles,
                history=history,
                context=context,
                task=catalogue.task,
            )
            milliseconds = 1000 * (time.monotonic() - begin)
    liked = ", ".join(titles.get(item, item) for item in history[:3])
    console.print(
        f"user {user}: {len(history)} items in the history"
        + (f", the latest {liked}" if liked else ""),
        highlight=False,
        markup=False,
    )
    table = rich.table.Table(
        title=f"best of {len(rows)} candidates, ranked over gRPC in {milliseconds:.0f} ms",
        title_justify="left",
    )
    tasks = sorted(rows[0].scores, key=lambda task: (task != catalogue.task, task))
    for column in ("place", "item", "title", *tasks, "Semantic ID"):
        table.add_column(column)
    words = {"store": "stored", "encoded": "encoded live", "unknown": "unknown"}
    for place, row in enumerate(rows, 1):
        if place <= top or row.item_id in always:
            table.add_row(
                str(place),
                row.item_id,
                row.title or "",
                *(f"{row.scores[task]:.3f}" for task in tasks),
                words[row.source],
            )
    console.print(table, markup=False)


def _read_columns(directory: str, columns: list[str]) -> dict[str, list]:
    tables = [
        pq.read_table(path, columns=columns).to_pydict()
        for path in sorted(glob.glob(os.path.join(directory, "*.parquet")))
    ]
    return {column: [value for table in tables for value in table[column]] for column in columns}
