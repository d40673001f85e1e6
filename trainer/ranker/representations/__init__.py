"""Item representations: their configurations, by name.

A new one is a subclass of `RepresentationConfig` in a file of its own and a member of
`Representation` here. To import this takes no TensorFlow.
"""

import typing
from collections.abc import Mapping
from typing import Annotated
from typing import Any

import pydantic
from pydantic import BeforeValidator
from pydantic import Field

from semantic_id_ranking.trainer.ranker.representation_config import RepresentationConfig
from semantic_id_ranking.trainer.ranker.representations.configs.dense import Dense
from semantic_id_ranking.trainer.ranker.representations.configs.dense_projected import (
    DenseProjected,
)
from semantic_id_ranking.trainer.ranker.representations.configs.id_plus_sid import IdPlusSid
from semantic_id_ranking.trainer.ranker.representations.configs.individual_id import IndividualId
from semantic_id_ranking.trainer.ranker.representations.configs.random_hash import RandomHash
from semantic_id_ranking.trainer.ranker.representations.configs.sid_hybrid import SidHybrid
from semantic_id_ranking.trainer.ranker.representations.configs.sid_ngram import SidNgram
from semantic_id_ranking.trainer.ranker.representations.configs.sid_prefix import SidPrefix
from semantic_id_ranking.trainer.ranker.representations.configs.sid_spm import SidSpm

_Any = (
    RandomHash
    | IndividualId
    | Dense
    | DenseProjected
    | SidNgram
    | SidPrefix
    | SidSpm
    | IdPlusSid
    | SidHybrid
)

#: Name to configuration.
REGISTRY: dict[str, type[RepresentationConfig]] = {
    kind.name: kind for kind in typing.get_args(_Any)
}

#: The representation where a configuration names none.
DEFAULT = SidSpm()


def _with_name(fields: Any) -> Any:
    return {"name": DEFAULT.name, **fields} if isinstance(fields, Mapping) else fields


#: Any representation, told apart by `name`.
Representation = Annotated[
    Annotated[_Any, Field(discriminator="name")], BeforeValidator(_with_name)
]


def parse_representation(fields: Mapping[str, Any]) -> RepresentationConfig:
    """Makes a configuration of its fields, such as a TFX parameter holds.

    Args:
        fields: `name` and others of the representation's fields.

    Raises:
        ValidationError: There is no such representation or field, or a value is out of range.

    Example:
        >>> parse_representation({"name": "sid_prefix", "rows": 64}).depth is None
        True
    """
    return pydantic.TypeAdapter(Representation).validate_python(fields)


__all__ = [
    "DEFAULT",
    "REGISTRY",
    "Dense",
    "DenseProjected",
    "IdPlusSid",
    "IndividualId",
    "RandomHash",
    "Representation",
    "RepresentationConfig",
    "SidHybrid",
    "SidNgram",
    "SidPrefix",
    "SidSpm",
    "parse_representation",
]
