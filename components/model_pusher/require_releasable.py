"""Check of the models that are released together."""

from collections.abc import Mapping

from semantic_id_ranking.contracts.errors import DamagedModelError
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError


def require_releasable(models: Mapping[str, str]) -> None:
    """Refuses models that cannot be served together.

    Args:
        models: Name -> folder of the SavedModel.

    Raises:
        InputError: One is not as it was exported, does not load, or does not answer its warm-up
            requests as it has to; or two live in two SID spaces.
    """
    from semantic_id_ranking.trainer.exported_model import check_exported_model

    try:
        spaces = {path: check_exported_model(path) for path in models.values()}
        first, *others = spaces
        for other in others:
            spaces[first].require_same(spaces[other], first, other)
    except (DamagedModelError, SidSpaceMismatchError) as error:
        raise InputError(f"nothing is pushed: {error}") from error
