"""Features of a request from a store: counters, and the past of its user."""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.contracts.counters import COUNTER_COLUMNS
from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.contracts.counters import counters_by_codes
from semantic_id_ranking.contracts.counters import ITEM_COUNTERS
from semantic_id_ranking.contracts.counters import USER_CODE_COUNTERS
from semantic_id_ranking.contracts.counters import USER_COUNTERS
from semantic_id_ranking.serving.client.arguments import name_list
from semantic_id_ranking.serving.client.errors import MissingInputError
from semantic_id_ranking.serving.store import StoredItems
from semantic_id_ranking.serving.store import UserRecord


class StoreQuery:
    """Says what is asked for, and makes features of what was found.

    Args:
        widths: Numbers in each context column of several of the ranker.
        history_tasks: The tasks whose labels of the history's impressions the ranker reads.
        context: The context columns of the caller, which are not asked for.
        has_history: Whether the caller gives the history.
        user: The user; None: neither history nor counters of a user are asked for.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        history_tasks: Collection[str],
        context: Mapping[str, Any],
        has_history: bool,
        user: str | None,
    ):
        asked = [name for name in COUNTER_COLUMNS if name in widths and name not in context]
        of_items = [name for name in asked if name == ITEM_COUNTERS]
        self._columns = of_items if user is None else asked
        self._widths = widths
        self._history_tasks = history_tasks
        self.reads_history = user is not None and not has_history
        reads_user = self.reads_history or len(self._columns) > len(of_items)
        self.user = user if reads_user else None
        self.width = widths.get(ITEM_COUNTERS, 0) if self._columns or reads_user else None

    def require_store(self) -> None:
        """Refuses a client without a store, where a user is asked for.

        Raises:
            MissingInputError: It has none.
        """
        if self.user is not None:
            raise MissingInputError(
                f"user {self.user!r} is given, but the client has no store to read history and "
                "counters from; open it with store=…, or leave user out and give them"
            )

    def require_moment(self, found: StoredItems, store: str) -> None:
        """Refuses what is there, where a user is asked for and a release did not put it there.

        Args:
            found: What is there.
            store: Name of the store, for messages.

        Raises:
            MissingInputError: The store has no users of that space, or its counters or histories
                are of other tasks than the ranker's.
        """
        if self.user is None:
            return
        if self._fits(found):
            self._require_labels(found, store)
            return
        if found.moment is None:
            raise MissingInputError(
                f"user {self.user!r} is given, but {store} holds no users of the ranker's SID "
                "space; a release with serving.store and context.counters puts them there"
            )
        raise MissingInputError(
            f"the counters in {store} are of the tasks {', '.join(found.moment.tasks) or 'none'}; "
            f"the ranker reads another number of them ({self._of_ranker()})"
        )

    def history_labels(self, found: StoredItems, record: UserRecord) -> dict[str, NDArray[Any]]:
        """The labels of a record's history by task, float32 [h] each.

        Args:
            found: What is there, for which `require_moment` holds.
            record: Its `record`.
        """
        tasks = found.moment.history_tasks if found.moment and record.item_ids else ()
        return {task: record.labels[:, column] for column, task in enumerate(tasks)}

    def record(self, found: StoredItems, levels: int) -> UserRecord:
        """The user's record; of a user who is not known, that of one without impressions.

        Args:
            found: What is there, for which `require_moment` holds.
            levels: Codes of a Semantic ID.
        """
        if found.user is not None:
            return found.user
        tasks = found.moment.tasks if found.moment else ()
        return UserRecord.nothing(levels, len(CounterLayout(tasks).block))

    def columns(
        self, found: StoredItems, candidates: Sequence[int], sids: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        """The context columns that the caller does not give.

        Where no release put counters there, it is none, and the request lacks them.

        Args:
            found: What is there.
            candidates: Rows of the N candidates in what was found.
            sids: [N, L] Semantic IDs of the candidates, of whichever source.
        """
        if not self._fits(found):
            return {}
        record = self.record(found, sids.shape[1])
        made = {
            # An item without counters, such as one that is new, had no impression.
            ITEM_COUNTERS: np.where(found.counted[:, None], found.counters, 0)[candidates],
            USER_COUNTERS: record.counters.astype(np.float32),
            USER_CODE_COUNTERS: counters_by_codes(sids, record.codes, record.by_codes),
        }
        return {name: made[name].astype(np.float32) for name in self._columns}

    def columns_of_nothing(self, sids: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """`columns` where the store did not answer: those of new items and of a user unknown.

        Args:
            sids: [N, L] Semantic IDs of the candidates, which were encoded if they are known.
        """
        made = {}
        for name in self._columns:
            rows = 1 if name == USER_COUNTERS else len(sids)
            made[name] = np.zeros((rows, self._widths[name]), np.float32)
        if USER_CODE_COUNTERS in made:
            made[USER_CODE_COUNTERS][sids[:, 0] < 0] = np.nan
        return made

    def _fits(self, found: StoredItems) -> bool:
        if found.moment is None:
            return False
        widths = CounterLayout(found.moment.tasks).widths
        return all(self._widths[name] == widths[name] for name in self._columns)

    def _require_labels(self, found: StoredItems, store: str) -> None:
        if not self.reads_history or found.moment is None:
            return
        held, wanted = set(found.moment.history_tasks), set(self._history_tasks)
        if bool(held) != bool(wanted) or not wanted <= held:
            raise MissingInputError(
                f"the histories in {store} have labels of {name_list(held)}, and the ranker reads "
                f"those of {name_list(wanted)}; release a ranker and a state of one history.events"
            )

    def _of_ranker(self) -> str:
        return ", ".join(f"{self._widths[name]} of {name}" for name in self._columns)
