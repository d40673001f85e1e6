"""A representation with tables of its own for each role."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.row_section import RowSection


class SeparateTables(ItemRepresentation):
    """The same representation once for each role, with rows of its own in each."""

    def __init__(self, create: Callable[[], ItemRepresentation], roles: Sequence[str]):
        """Creates the layers.

        Args:
            create: Makes a representation.
            roles: The roles, such as the candidate's.
        """
        parts = {role: create() for role in roles}
        first = next(iter(parts.values()))
        rows = sum(part.table_rows for part in parts.values())
        super().__init__(first.fields, first.dim, first.space, rows)
        self.bottom_factor = first.bottom_factor
        self._parts = parts

    @property
    def tables(self) -> list[tf.Variable]:
        """The tables of all roles."""
        return [table for part in self._parts.values() for table in part.tables]

    @property
    def derived_variables(self) -> list[tf.Variable]:
        """Those of all roles."""
        return [one for part in self._parts.values() for one in part.derived_variables]

    @property
    def frozen_variables(self) -> list[tf.Variable]:
        """Those of all roles."""
        return [one for part in self._parts.values() for one in part.frozen_variables]

    def row_keys(self) -> list[list[RowSection]]:
        """See the base class."""
        return [keys for part in self._parts.values() for keys in part.row_keys()]

    def update_derived(self) -> None:
        """See the base class."""
        for part in self._parts.values():
            part.update_derived()

    @contextlib.contextmanager
    def folded(self) -> Iterator[None]:
        """See the base class."""
        with contextlib.ExitStack() as stack:
            for part in self._parts.values():
                stack.enter_context(part.folded())
            yield

    def expect_batches(self, size: int) -> None:
        """See the base class."""
        for part in self._parts.values():
            part.expect_batches(size)

    def by_role(
        self, roles: Mapping[str, Mapping[str, tf.Tensor]], training: bool
    ) -> dict[str, ItemVectors]:
        """See the base class."""
        return {role: self._parts[role](items, training=training) for role, items in roles.items()}

    def vectors(self, items: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        """Is not defined without a role.

        Raises:
            TypeError: Always.
        """
        raise TypeError("separate tables need a role; call by_role")

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class; every role takes as many."""
        return next(iter(self._parts.values())).lookups(features)
