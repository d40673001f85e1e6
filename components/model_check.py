"""Checks of the models that a component reads or releases."""

from collections.abc import Mapping

from semantic_id_ranking.components.errors import InputError


def require_undamaged(model: str) -> None:
    """Refuses a model that is not as it was exported.

    Args:
        model: Folder of the SavedModel.

    Raises:
        InputError: A file is changed, missing or new.
    """
    from semantic_id_ranking.trainer.file_digests import check_file_digests
    from semantic_id_ranking.trainer.file_digests import DamagedModelError

    try:
        check_file_digests(model)
    except DamagedModelError as error:
        raise InputError(str(error)) from error


def require_releasable(models: Mapping[str, str]) -> None:
    """Refuses models that cannot be served together.

    Args:
        models: Name -> folder of the SavedModel.

    Raises:
        InputError: One is not as it was exported, does not load, or does not answer its warm-up
            requests as it has to; or two live in two SID spaces.
    """
    from semantic_id_ranking.trainer.exported_model import check_exported_model
    from semantic_id_ranking.trainer.file_digests import DamagedModelError
    from semantic_id_ranking.trainer.sid_space import SidSpaceMismatchError

    try:
        spaces = {path: check_exported_model(path) for path in models.values()}
        first, *others = spaces
        for other in others:
            spaces[first].require_same(spaces[other], first, other)
    except (DamagedModelError, SidSpaceMismatchError) as error:
        raise InputError(f"nothing is pushed: {error}") from error
