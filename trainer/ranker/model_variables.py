"""Names and row keys of a ranker's variables, the same in every training of one configuration."""

from collections import deque
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from semantic_id_ranking._compat import optimizer_slots
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.row_section import RowSection
from semantic_id_ranking.trainer.ranker.row_section import UNKNOWN

CATEGORY = "category"
"""Kind of the rows of a categorical context column."""


class ModelVariables:
    """All that a training has to keep of a built and compiled ranker, by name.

    Names are those of attributes, as `network/_cross/0/kernel`: Keras's own names count layers
    through the whole process. Left out is what follows from the SID tokenizer and the items.

    Attributes:
        weights: The trained weights, what else the network holds, and what is frozen with the SID
            space.
        slots: What the optimizers keep: `<weight>/<slot>`, the slots of `optimizer_slots`.
        counters: Scalars of the optimizers: `<optimizer>/iterations`, and the loss scale.
        tables: For each table among the weights, what its rows stand for; its slots have the same
            rows.
    """

    def __init__(self, model: Ranker, categories: Mapping[str, NDArray]):
        """Finds the variables.

        Args:
            model: The ranker.
            categories: By categorical context feature its vocabulary, bytes (dtype object) [n];
                one row more is that of all others.
        """
        dense, tables = model.weights_by_optimizer()
        kept = [*dense, *tables, *model.network.variables, *model.representation.frozen_variables]
        wanted = {id(one) for one in kept}
        named = {
            **_variables(model.representation, "item"),
            **_variables(model.network, "network"),
            **{f"context/{name}": table for name, table in model.context_tables.items()},
        }
        self.weights = {name: one for name, one in named.items() if id(one) in wanted}
        name_of = {id(one): name for name, one in self.weights.items()}
        missing = [one.name for one in kept if id(one) not in name_of]
        if missing:
            raise ValueError(f"no attribute of the ranker leads to its variable {missing[0]}")
        self.slots: dict[str, tf.Variable] = {}
        self.counters: dict[str, tf.Variable] = {}
        for kind, optimizer, trained in (
            ("dense", model.optimizer, dense),
            ("tables", model.table_optimizer, tables),
        ):
            inner: Any = getattr(optimizer, "inner_optimizer", optimizer)
            inner.build(trained)
            self.counters[f"{kind}/iterations"] = inner.iterations
            if inner is not optimizer:
                scale = tf.train.TrackableView(optimizer).children(optimizer)["loss_scale"]
                self.counters |= _variables(scale, f"{kind}/loss_scale")
            for weight in trained:
                for slot, variable in optimizer_slots(inner, weight).items():
                    self.slots[f"{name_of[id(weight)]}/{slot}"] = variable
        self.tables: dict[str, Sequence[RowSection]] = {
            name_of[id(table)]: keys
            for table, keys in zip(
                model.representation.tables, model.representation.row_keys(), strict=True
            )
        }
        for feature in model.context_tables:
            known = RowSection(CATEGORY, categories[feature])
            self.tables[f"context/{feature}"] = [known, RowSection(UNKNOWN, range(1))]


def _variables(root: object, name: str) -> dict[str, tf.Variable]:
    """The variables below an object, by the shortest path of attributes, of these the first."""
    view = tf.train.TrackableView(root)
    found = {}
    # Objects are kept, so that no other one can have the identity of one that was seen.
    seen = {id(root): root}
    waiting = deque([(name, root)])
    while waiting:
        path, node = waiting.popleft()
        if isinstance(node, tf.Variable):
            found[path] = node
            continue
        for attribute, child in sorted(view.children(node).items()):
            if id(child) not in seen:
                seen[id(child)] = child
                waiting.append((f"{path}/{attribute}", child))
    return found
