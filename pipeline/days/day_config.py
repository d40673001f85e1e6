"""The configuration of a day: the released one, but for what may change from day to day."""

from collections.abc import Sequence

from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.pipeline.load_config import load_config

#: What the space, the state and the ranker's weights depend on.
_FROZEN = (
    "columns",
    "tasks",
    "context",
    "history",
    "days.length",
    "rqvae",
    "tokenizer",
    "representation",
    "ranker.model",
    "baselines",
)


def day_config(output: str, path: str | None, overrides: Sequence[str]) -> Config:
    """Loads the configuration of a day.

    Args:
        output: The output folder, with a release.
        path: A YAML file; None takes the released configuration.
        overrides: `key=value`, as for `load_config`.

    Raises:
        InputError: Nothing was released in the folder.
        ConfigError: A field is wrong, or one that is frozen differs from the released one.
    """
    Ledger.open(output)
    releases = read_releases(Destinations.under(output).serving)
    if not releases:
        raise InputError(f"{output}: nothing is released there; run the log with `sid run` first")
    released = load_config(default=releases[0].config)
    config = load_config(path, overrides, default=releases[0].config)
    for field in _FROZEN:
        given, frozen = _value(config, field), _value(released, field)
        if given != frozen:
            raise ConfigError(
                f"{path or '--set'}: {field} differs from that of the space and the ranker in "
                f"{output}, which days go on with; leave it as it was, or begin another output "
                "folder with `sid run`"
            )
    return config


def _value(config: Config, field: str) -> object:
    value: object = to_dict(config)
    for name in field.split("."):
        assert isinstance(value, dict)
        value = value[name]
    return value
