"""The state of a ranker's training, from which the next training goes on."""

import dataclasses
import json
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.model_variables import ModelVariables
from semantic_id_ranking.trainer.ranker.row_section import RowSection
from semantic_id_ranking.trainer.ranker.row_section import source_rows
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems

DESCRIPTION_FILE = "state.json"
VARIABLES = "variables"

LAYOUT = 1
"""Version of the files; one that reads another refuses it."""


@dataclasses.dataclass(frozen=True)
class TrainingDescription:
    """What a state is the state of.

    Attributes:
        fingerprint: Of the SID space.
        representation: The representation's fields, its name among them.
        tasks: The tasks' fields, in order.
        moments: By regression task, mean and standard deviation of the label; of balanced binary
            tasks, too. They stay as the first training measured them.
        days: What it was trained through: the spans of all examples, in order.
        metrics: Those of the last training.
    """

    fingerprint: str
    representation: Mapping[str, Any]
    tasks: Sequence[Mapping[str, Any]]
    moments: Mapping[str, LabelMoments]
    days: Sequence[int]
    metrics: Mapping[str, Any]


class RankerState:
    """A state that was written, read as far as it is asked for.

    Files: `state.json`, the description, and by table what its rows stand for; `variables.index`
    and `variables.data-*`, a TensorFlow checkpoint of tensors by name:

    - `weight/<weight>`, `slot/<weight>/<slot>`, `counter/<optimizer>/<counter>`: the variables, as
      `ModelVariables` names them;
    - `keys/<weight>/<kind>`: the keys of a table's rows, int64 or string, where they are not 0, 1,
      2, ...;
    - `added/item_ids` (string), `added/sids` (int32 [N, L]), `added/impressions` (int64): the items
      that trainings after the first one saw first, in the order of adding.

    `assets.extra/SHA256SUMS` has the digests of the files.
    """

    def __init__(self, directory: str):
        """Opens a state.

        Args:
            directory: What `write_ranker_state` wrote.

        Raises:
            DamagedModelError: A file is not as it was written.
            InputError: It has the layout of another version.
        """
        check_file_digests(directory)
        with open(os.path.join(directory, DESCRIPTION_FILE), encoding="utf-8") as file:
            content = json.load(file)
        layout = content.pop("layout")
        if layout != LAYOUT:
            raise InputError(
                f"{directory}: the ranker's state has layout {layout}, and this version reads "
                f"{LAYOUT}; train the ranker without a previous state"
            )
        self._directory = directory
        self._sections: dict[str, dict[str, int]] = content.pop("tables")
        moments = {task: LabelMoments(**one) for task, one in content.pop("moments").items()}
        self.description = TrainingDescription(moments=moments, **content)
        self._reader = tf.train.load_checkpoint(os.path.join(directory, VARIABLES))

    @property
    def added(self) -> ImpressedItems | None:
        """Items that were seen first after those of the train split; None if there are none."""
        if not self._reader.has_tensor("added/sids"):
            return None
        arrays = {
            field.name: self._reader.get_tensor(f"added/{field.name}")
            for field in dataclasses.fields(ImpressedItems)
        }
        return ImpressedItems(**{**arrays, "item_ids": arrays["item_ids"].astype(np.bytes_)})

    def row_keys(self, table: str) -> list[RowSection]:
        """What the rows of a table stand for; nothing for a table that there was not."""
        return [
            RowSection(
                kind,
                self._reader.get_tensor(name)
                if self._reader.has_tensor(name := f"keys/{table}/{kind}")
                else range(rows),
            )
            for kind, rows in self._sections.get(table, {}).items()
        ]

    def tensor(self, name: str) -> NDArray[Any]:
        """A tensor by its name, such as `weight/<weight>`.

        Raises:
            InputError: There is none.
        """
        if not self._reader.has_tensor(name):
            raise InputError(
                f"the previous ranker has no variable {name.partition('/')[2]}; keep ranker.model "
                "and its layers, or train the ranker without a previous state"
            )
        return self._reader.get_tensor(name)

    def require_same(
        self, fingerprint: str, representation: Mapping[str, Any], tasks: Sequence[Mapping]
    ) -> None:
        """Checks that a training can go on from it.

        Args:
            fingerprint: Of the SID space of the training.
            representation: Its representation's fields.
            tasks: Its tasks' fields.

        Raises:
            SidSpaceMismatchError: The SID spaces differ.
            InputError: The representations or the tasks differ.
        """
        mine = self.description
        if mine.fingerprint != fingerprint:
            raise SidSpaceMismatchError(
                f"the previous ranker is of SID space {mine.fingerprint} and the SID tokenizer of "
                f"{fingerprint}; train the ranker without a previous state"
            )
        for name, ours, theirs in (
            ("representation", mine.representation, representation),
            ("tasks", list(mine.tasks), list(tasks)),
        ):
            if json.dumps(ours, sort_keys=True) != json.dumps(theirs, sort_keys=True):
                raise InputError(
                    f"{name}: {theirs} is not that of the previous ranker, {ours}; keep it, or "
                    "train the ranker without a previous state"
                )

    def restore(self, model: Ranker, categories: Mapping[str, NDArray]) -> None:
        """Gives a ranker the weights and its optimizers the slots of this state.

        Rows go by what they stand for. One that is new begins as a copy of the row of all others,
        with its slots; in a table without such a row it stays as it was made, at zero.

        Args:
            model: Built and compiled, in the scope of its strategy.
            categories: As for `ModelVariables`.

        Raises:
            InputError: The state lacks a variable, or has one of another shape.
        """
        variables = ModelVariables(model, categories)
        rows: dict[str, NDArray[np.int64] | None] = {}
        for table, sections in variables.tables.items():
            found = source_rows(self.row_keys(table), sections)
            same = len(found) == sum(self._sections.get(table, {}).values())
            in_order = same and np.array_equal(found, np.arange(len(found)))
            rows[table] = None if in_order else found
        for kind, named, table_of in (
            ("weight", variables.weights, lambda name: name),
            ("slot", variables.slots, lambda name: name.rpartition("/")[0]),
            ("counter", variables.counters, lambda name: ""),
        ):
            for name, variable in named.items():
                self._assign(f"{kind}/{name}", variable, rows.get(table_of(name)))
        model.representation.update_derived()

    def _assign(self, name: str, variable: tf.Variable, rows: NDArray[np.int64] | None) -> None:
        """Assigns a tensor, or of a table the rows int64 [new rows], -1 for one that stays."""
        if rows is not None and (rows < 0).all():
            return
        values = self.tensor(name)
        if rows is not None:
            start = variable.numpy()
            if values.shape[1:] == start.shape[1:]:
                values = np.where((rows >= 0)[:, None], values[np.maximum(rows, 0)], start)
        if values.shape != variable.shape:
            raise InputError(
                f"the previous ranker's variable {name.partition('/')[2]} has shape "
                f"{list(values.shape)}, and this one's {variable.shape.as_list()}; keep the "
                "ranker's layers, or train the ranker without a previous state"
            )
        variable.assign(values)


def write_ranker_state(
    directory: str,
    description: TrainingDescription,
    model: Ranker,
    categories: Mapping[str, NDArray],
    added: ImpressedItems | None = None,
) -> None:
    """Writes the state of a training.

    Args:
        directory: Where the files of `RankerState` go; made if need be.
        description: What it is the state of.
        model: The trained ranker.
        categories: As for `ModelVariables`.
        added: Items that were seen first after those of the train split.
    """
    variables = ModelVariables(model, categories)
    tensors: dict[str, Any] = {}
    for kind, named in (
        ("weight", variables.weights),
        ("slot", variables.slots),
        ("counter", variables.counters),
    ):
        tensors |= {f"{kind}/{name}": variable for name, variable in named.items()}
    for table, sections in variables.tables.items():
        for section in sections:
            if not isinstance(section.keys, range):
                tensors[f"keys/{table}/{section.kind}"] = section.keys
    if added is not None:
        tensors |= {f"added/{name}": array for name, array in added.arrays().items()}
    os.makedirs(directory, exist_ok=True)
    # By names of our own: those of tf.train.Checkpoint count the optimizers' variables.
    names = sorted(tensors)
    tf.raw_ops.SaveV2(
        prefix=os.path.join(directory, VARIABLES),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.convert_to_tensor(tensors[name]) for name in names],
    )
    tables = {
        table: {section.kind: len(section.keys) for section in sections}
        for table, sections in variables.tables.items()
    }
    content = {"layout": LAYOUT, **dataclasses.asdict(description), "tables": tables}
    write_json(os.path.join(directory, DESCRIPTION_FILE), content)
    write_file_digests(directory)
