"""Counters of impressions and labels: names, order and widths, in examples and in requests."""

import dataclasses

ITEM_COUNTERS = "item_counters"
USER_COUNTERS = "user_counters"
USER_CODE_COUNTERS = "user_code_counters"
#: The context columns that hold counters; no column of the input may have such a name.
COUNTER_COLUMNS = (ITEM_COUNTERS, USER_COUNTERS, USER_CODE_COUNTERS)


@dataclasses.dataclass(frozen=True)
class CounterLayout:
    """What the numbers of a vector of counters are.

    A *block* counts one key: its impressions, then of each binary task the impressions with a label
    and the positives. A context column of counters is one block or two.

    >>> layout = CounterLayout(("click", "like"))
    >>> layout.block
    ('impressions', 'labels_click', 'positives_click', 'labels_like', 'positives_like')
    >>> layout.blocks
    {'item_counters': 2, 'user_counters': 1, 'user_code_counters': 2}
    >>> layout.widths
    {'item_counters': 10, 'user_counters': 5, 'user_code_counters': 10}

    Attributes:
        tasks: The binary tasks, T of them, in the order of the configuration.
    """

    tasks: tuple[str, ...]

    @property
    def block(self) -> tuple[str, ...]:
        """Names of the 1 + 2T counters of a key."""
        of_tasks = (f"{kind}_{task}" for task in self.tasks for kind in ("labels", "positives"))
        return ("impressions", *of_tasks)

    @property
    def blocks(self) -> dict[str, int]:
        """Blocks in each context column of counters.

        Of the item: a block of all time, then a recent (decayed) one. Of the user: a block. Of the
        user's impressions of items that begin like the candidate: a block for the first code of its
        Semantic ID, then one for the first two.
        """
        return {ITEM_COUNTERS: 2, USER_COUNTERS: 1, USER_CODE_COUNTERS: 2}

    @property
    def widths(self) -> dict[str, int]:
        """Numbers in each context column of counters."""
        return {column: blocks * len(self.block) for column, blocks in self.blocks.items()}
