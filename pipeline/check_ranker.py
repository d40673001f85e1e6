"""The ranker of a configuration, tried before anything runs."""

from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.trainer.ranker.check_network import check_network
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN
from semantic_id_ranking.trainer.ranker.counter_features import feature_widths


def check_ranker(config: Config) -> None:
    """Tries the network that `ranker.model` names, on batches of zeros.

    Args:
        config: The configuration.

    Raises:
        InputError: See `check_network`.
    """
    context = config.context
    numbers = [*context.numeric, *([ITEM_AGE_COLUMN] if context.item_age else [])]
    counted = config.counted_tasks
    counters = {} if counted is None else feature_widths(CounterLayout(counted))
    # How many words a vocabulary has is not known yet, and makes no difference.
    spec = ContextSpec(
        dict.fromkeys(map(context_feature, context.categorical), 1),
        (*map(context_feature, numbers), HISTORY_LENGTH),
        {context_feature(column): width for column, width in counters.items()},
    )
    check_network(config.ranker, config.tasks, spec, config.history.labelled)
