"""Items, users and histories of a run."""

import dataclasses
import glob
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import pyarrow.parquet as pq

from semantic_id_ranking.components.feature_joiner.state_counters import StateCounters
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.version_folders import RELEASE
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """The items and users of a run, without the Semantic IDs, which a store holds.

    Attributes:
        item_ids: The items that have a Semantic ID.
        titles: item_id -> title, of the items that have one.
        histories: user_id -> item_ids, most recent first.
        semantic_ids: Folder of the table of Semantic IDs.
        fingerprint: The SID space of them.
        categorical: Categorical context columns.
        numeric: Numeric context columns.
        task: The task that candidates are sorted by.
        item_ages: item_id -> age in days at the end of the log; None where the ranker does not read
            it.
        counters: Counters of items and users; None where the ranker does not read them.
        history_labels: task -> user_id -> labels of the histories' impressions, NaN for none; no
            task where histories are of positives alone.
    """

    item_ids: Sequence[str]
    titles: Mapping[str, str]
    histories: Mapping[str, Sequence[str]]
    semantic_ids: str
    fingerprint: str
    categorical: Sequence[str]
    numeric: Sequence[str]
    task: str
    item_ages: Mapping[str, float] | None = None
    counters: StateCounters | None = None
    history_labels: Mapping[str, Mapping[str, Sequence[float]]] = dataclasses.field(
        default_factory=dict
    )

    @classmethod
    def load(cls, run: str) -> "Catalogue":
        """Reads what belongs to the models that a run pushed last.

        Args:
            run: Output folder of the run.

        Raises:
            InputError: The run pushed nothing, or a file of it cannot be read.
        """
        serving = os.path.join(run, "serving")
        releases = read_releases(serving)
        if not releases:
            path = os.path.join(serving, RELEASE)
            raise InputError(f"{path}: no such file; {run} holds no run that was pushed")
        release = releases[0]
        # Absolute in a release of before they were relative to the run's folder.
        sids, known = (os.path.join(run, path) for path in (release.semantic_ids, release.state))
        titles = _read_columns(os.path.join(known, "titles"), ["item_id", "title"])
        config = release.config
        tasks = config["tasks"]
        labelled = config.get("history", {}).get("events") == "all"
        labels = {task["name"]: f"label_{task['name']}" for task in tasks if labelled}
        users = _read_columns(known, ["user_id", "item_id", *labels.values()], "users-*.parquet")
        binary = tuple(task["name"] for task in tasks if task.get("type", "binary") == "binary")
        return cls(
            item_ids=_read_columns(sids, ["item_id"])["item_id"],
            titles=dict(zip(titles["item_id"], titles["title"], strict=True)),
            histories=dict(zip(users["user_id"], users["item_id"], strict=True)),
            history_labels={
                task: dict(zip(users["user_id"], users[column], strict=True))
                for task, column in labels.items()
            },
            semantic_ids=sids,
            fingerprint=release.fingerprint,
            categorical=config["context"]["categorical"],
            numeric=config["context"]["numeric"],
            task=tasks[0]["name"],
            item_ages=_read_item_ages(known) if config["context"].get("item_age") else None,
            counters=(
                StateCounters(known, sids, binary) if config["context"].get("counters") else None
            ),
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

    def state_context(self, item_ids: Sequence[str], user: str) -> dict[str, Any]:
        """Values of the context columns that a ranker reads of the run's state.

        Args:
            item_ids: The candidates. An item that the run does not know is new: of age 0.
            user: The user.

        Raises:
            InputError: A file of the state cannot be read.
        """
        values: dict[str, Any] = {}
        if self.item_ages is not None:
            values[ITEM_AGE_COLUMN] = [self.item_ages.get(item, 0.0) for item in item_ids]
        if self.counters is not None:
            values |= self.counters.context(item_ids, user)
        return values


def _read_item_ages(state: str) -> dict[str, float]:
    ages = _read_columns(os.path.join(state, "item_ages"), ["item_id", "age_days"])
    return dict(zip(ages["item_id"], ages["age_days"], strict=True))


def _read_columns(
    directory: str, columns: list[str], pattern: str = "*.parquet"
) -> dict[str, list]:
    tables = []
    for path in sorted(glob.glob(os.path.join(glob.escape(directory), pattern))):
        try:
            # Not read_table(path): it takes a folder's name such as "a=b" for a column.
            tables.append(pq.ParquetFile(path).read(columns).to_pydict())
        except (OSError, ValueError, RuntimeError) as error:  # The last one of pyarrow_hotfix.
            reason = str(error).strip().splitlines()[0]
            raise InputError(f"{path}: cannot be read: {reason}") from error
    return {column: [value for table in tables for value in table[column]] for column in columns}
