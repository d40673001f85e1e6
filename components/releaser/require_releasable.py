"""Checks of the models that are released together."""

import os
from collections.abc import Mapping

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import DamagedModelError
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.contracts.sid_space import SidSpace


def require_one_space(models: Mapping[str, str], semantic_ids: str | None) -> None:
    """Refuses models and Semantic IDs of two SID spaces, by what their files say.

    Args:
        models: Name -> folder of the SavedModel.
        semantic_ids: Folder of the table of Semantic IDs; None: there is none to release.

    Raises:
        InputError: They are of two spaces, or a file is missing.
    """
    try:
        spaces = {
            path: SidSpace.load(os.path.join(path, "assets.extra")) for path in models.values()
        }
        if semantic_ids is not None:
            first_file = sid_table.files(semantic_ids)[0]
            spaces[semantic_ids] = sid_table.space_of(sid_table.read_schema(first_file))
        first, *others = spaces
        for other in others:
            spaces[first].require_same(spaces[other], first, other)
    except FileNotFoundError as error:
        raise InputError(f"nothing is pushed: {error.filename or error}: no such file") from error
    except SidSpaceMismatchError as error:
        raise InputError(f"nothing is pushed: {error}") from error


def require_releasable(models: Mapping[str, str], copies: Mapping[str, str]) -> None:
    """Refuses models that do not answer as they have to.

    Args:
        models: Name -> folder of the SavedModel, for messages.
        copies: Name -> folder of the copy that is looked at and called.

    Raises:
        InputError: One is not as it was exported, does not load, or does not answer its warm-up
            requests as it has to.
    """
    # Loads TensorFlow, which takes seconds.
    from semantic_id_ranking.trainer.exported_model import check_exported_model

    for name, path in copies.items():
        try:
            check_exported_model(path)
        except DamagedModelError as error:
            reason = str(error).replace(path, models[name])
            raise InputError(f"nothing is pushed: {reason}") from error
