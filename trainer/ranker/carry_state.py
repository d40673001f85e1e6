"""The state of a ranker's training, carried into another SID space."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.model_variables import ModelVariables
from semantic_id_ranking.trainer.ranker.ranker_state import RankerState
from semantic_id_ranking.trainer.ranker.representations.piece_subwords import PIECE
from semantic_id_ranking.trainer.ranker.row_section import RowSection
from semantic_id_ranking.trainer.tokenizer.carry_pieces import carry_pieces
from semantic_id_ranking.trainer.tokenizer.carry_rows import TableRows
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

# Below every mean square of gradients; one of a row that no step has moved is zero.
_SMALLEST = 1e-30


def carry_state(
    state: RankerState,
    model: Ranker,
    categories: Mapping[str, NDArray[Any]],
    old: SidTokenizer,
    new: SidTokenizer,
) -> None:
    """Gives a ranker of a refreshed SID space what one of the space before it has learnt.

    Rows of tables go by what they stand for, a code, a Semantic ID, an item ID or a category, as
    `RankerState.restore` carries them; those of pieces go by `carry_pieces`. The encoder of the
    RQ-VAE stays in a refresh and its codes keep their names, so that codes mean the same wherever
    the items keep them, and the content of Semantic IDs is projected onto the directions of before.

    Predictions stay where every new piece is made of old ones, and where the representation's
    counts and the scaling of the context are as they were; they move where these were renewed.

    Args:
        state: The state, of the space before.
        model: Built and compiled, of the new space, in the scope of its strategy.
        categories: As for `ModelVariables`.
        old: The SID tokenizer that the state's ranker was made with.
        new: That of the model; of as many levels and codes.

    Raises:
        InputError: The state lacks a variable, has one of another shape, or the spaces have other
            sizes.
    """
    state.restore(model, categories)
    variables = ModelVariables(model, categories)
    for table, sections in variables.tables.items():
        first = 0
        for section in sections:
            if section.kind == PIECE:
                _carry_pieces(state, variables, table, first, section, old, new)
            first += len(section.keys)
    frozen = {id(variable) for variable in model.representation.frozen_variables}
    for name, variable in variables.weights.items():
        if id(variable) in frozen:
            content = state.tensor(f"weight/{name}")
            variable.assign(_same_directions(content, old, new))
    model.representation.update_derived()


def _carry_pieces(
    state: RankerState,
    variables: ModelVariables,
    table: str,
    first: int,
    section: RowSection,
    old: SidTokenizer,
    new: SidTokenizer,
) -> None:
    """Carries the rows of pieces, with their slots."""
    before = _rows_of(state.row_keys(table), PIECE)
    after = slice(first, first + len(section.keys))
    slots = {
        name.rpartition("/")[2]: name
        for name in variables.slots
        if name.rpartition("/")[0] == table
    }

    def carry(weight: NDArray[Any], squares: NDArray[Any]) -> TableRows:
        start = TableRows(*2 * (np.ones((len(section.keys), weight.shape[1]), np.float32),))
        return carry_pieces(old, new, TableRows(weight, np.maximum(squares, _SMALLEST)), start)

    # Both are what an optimizer divides a gradient by, squared.
    squares = slots["accumulator" if "accumulator" in slots else "velocity"]
    old_squares = state.tensor(f"slot/{squares}")[before]
    carried = carry(state.tensor(f"weight/{table}")[before], old_squares)
    _assign(variables.weights[table], after, carried.table)
    _assign(variables.slots[squares], after, carried.accumulators)
    if "momentum" in slots:
        # Mean gradients: a sum's is that of each of its rows.
        momentum = state.tensor(f"slot/{slots['momentum']}")[before]
        sums = carry(momentum, old_squares).table
        parts = carry(np.ones_like(momentum), old_squares).table
        _assign(variables.slots[slots["momentum"]], after, sums / parts)


def _rows_of(sections: list[RowSection], kind: str) -> slice:
    """The rows of a table that are of one kind."""
    first = 0
    for section in sections:
        if section.kind == kind:
            return slice(first, first + len(section.keys))
        first += len(section.keys)
    return slice(0, 0)


def _assign(variable: tf.Variable, rows: slice, values: NDArray[Any]) -> None:
    whole = variable.numpy()
    whole[rows] = values
    variable.assign(whole)


def _same_directions(
    content: NDArray[np.float32], old: SidTokenizer, new: SidTokenizer
) -> NDArray[np.float32]:
    """Content of new codes in the directions that the old ones were projected onto.

    Args:
        content: float32 [L * K, n], of the old codes.
        old: Knows their codebooks, float32 [L, K, m].
        new: Knows the new ones.
    """
    before, after = (
        one.require_codebooks().reshape(len(content), -1).astype(np.float64) for one in (old, new)
    )
    directions, *_ = np.linalg.lstsq(before, content.astype(np.float64), rcond=None)
    return (after @ directions).astype(np.float32)
