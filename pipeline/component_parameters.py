"""The parameters of each component, made of the configuration and the inputs."""

import dataclasses
from typing import Any

from semantic_id_ranking.components.day_guard.compared import Compared
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.ranking_evaluator.parameters import EvaluationParameters
from semantic_id_ranking.evaluation.slices import SLICE_FEATURES
from semantic_id_ranking.inputs.impression_parameters import ImpressionParameters
from semantic_id_ranking.inputs.item_parameters import ItemParameters
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.join_config import DAY_MICROSECONDS
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig

# As many keep two workers or more at work, and what reads files side by side.
_FEWEST_SHARDS = 8
# So many take about 1 GB while they are joined.
_SHARD_IMPRESSIONS = 500_000


def item_parameters(config: Config, inputs: Inputs) -> ItemParameters:
    """Parameters of ItemGen."""
    columns = config.columns
    return ItemParameters(
        item_id=columns.item_id,
        embedding=columns.embedding,
        created_at=columns.created_at,
        title=columns.title,
        evaluation_start=inputs.evaluation_start.isoformat(),
        impressions_item_id=columns.item_id,
        impressions_timestamp=columns.timestamp,
    )


def impression_parameters(config: Config, inputs: Inputs) -> ImpressionParameters:
    """Parameters of ImpressionGen."""
    columns = config.columns
    return ImpressionParameters(
        user_id=columns.user_id,
        item_id=columns.item_id,
        timestamp=columns.timestamp,
        current_item_id=columns.current_item_id if inputs.has_current_item else None,
        tasks=[
            {"name": task.name, "label": task.label, "type": task.type} for task in config.tasks
        ],
        context={
            "categorical": list(config.context.categorical),
            "numeric": list(config.context.numeric),
        },
        evaluation_start=inputs.evaluation_start.isoformat(),
        skip_bad=inputs.skip_bad,
    )


def item_checks(inputs: Inputs) -> dict[str, Any]:
    """Parameters of the checks of the items."""
    return {
        "source": inputs.items.name,
        "required": ["item_id", "embedding", "created_at"],
        "categorical": [],
    }


def impression_checks(config: Config, inputs: Inputs, guarded: bool = False) -> dict[str, Any]:
    """Parameters of the checks of the impressions.

    Args:
        config: Names the columns.
        inputs: The impressions.
        guarded: Whether DayGuard judges their categories.
    """
    return {
        "source": inputs.impressions.name,
        "required": ["item_id", "timestamp"],
        "categorical": () if guarded else config.context.categorical,
        "optional": ["user_id", *(task.label for task in config.tasks)],
    }


def day_guard(
    config: Config, inputs: Inputs, earlier_day: str, earlier_is_log: bool
) -> dict[str, Any]:
    """Parameters of DayGuard.

    Args:
        config: The limits, and what the columns are.
        inputs: The day.
        earlier_day: Name of the last accepted day.
        earlier_is_log: Whether that is the log of `sid run`.
    """
    labels = {
        kind: tuple(dict.fromkeys(task.label for task in config.tasks if task.type == kind))
        for kind in ("binary", "regression")
    }
    compared = Compared(
        source=inputs.impressions.name,
        earlier_day=earlier_day,
        earlier_is_log=earlier_is_log,
        labels=labels["binary"],
        categorical=config.context.categorical,
        numeric=(*config.context.numeric, *labels["regression"]),
        columns={"item_id": config.columns.item_id, "user_id": config.columns.user_id},
    )
    return {"compared": dataclasses.asdict(compared), "limits": to_dict(config.guard)}


def rqvae(config: Config) -> dict[str, Any]:
    """Parameters of Trainer.rqvae."""
    return {"rqvae": to_dict(config.rqvae)}


def tokenizer(config: Config) -> dict[str, Any]:
    """Parameters of SidTokenizerTrainer."""
    sizes = config.rqvae.levels, config.rqvae.codebook_size
    return {
        "rows": config.representation.tokenizer_rows(*sizes),
        "config": to_dict(config.tokenizer),
    }


def join_parameters(config: Config, inputs: Inputs) -> JoinParameters:
    """Parameters of FeatureJoiner."""
    positive = None if config.history.labelled else config.positive_task
    return JoinParameters(
        labels={task.name: task.label for task in config.tasks},
        regressions=tuple(task.name for task in config.tasks if task.type == "regression"),
        positive=positive.label if positive else None,
        categorical=config.context.categorical,
        numeric=config.context.numeric,
        history_length=config.history.length,
        history_labels=config.history.labelled,
        item_fields=_item_fields(config),
        current_item=inputs.has_current_item,
        item_age=config.context.item_age,
        counters=config.context.counters,
        by_event=config.context.counters_as_of == "event",
        day_length=config.days.microseconds,
        half_life=config.context.half_life_days * DAY_MICROSECONDS,
        join_late=config.days.late == "join",
        new_days=config.slices.new_days,
        head_share=config.slices.head_share,
        torso_share=config.slices.torso_share,
        max_unknown_fraction=config.join.max_unknown_fraction,
        shards=config.join.shards or _shards(inputs.impressions.rows),
        item_column=config.columns.item_id,
        impressions=inputs.impressions.name,
    )


def _item_fields(config: Config) -> tuple[str, ...]:
    """What the ranker or a baseline reads of an item."""
    every = [config.representation, *config.trained_baselines.values()]
    return tuple(dict.fromkeys(field for one in every for field in one.item_fields))


def _shards(impressions: int) -> int:
    """A power of two, so that a group of a longer log has its users in one file of a state."""
    shards = _FEWEST_SHARDS
    while shards * _SHARD_IMPRESSIONS < impressions:
        shards *= 2
    return shards


def transform(config: Config) -> dict[str, Any]:
    """Parameters of Transform."""
    return _context(config)


def ranker(config: Config) -> dict[str, Any]:
    """Parameters of Trainer.ranker."""
    return _ranker(config, config.representation)


def baselines(config: Config) -> dict[str, dict[str, Any]]:
    """Parameters of the trainers of the baselines that are trained, by name."""
    return {
        name: _ranker(config, representation)
        for name, representation in config.trained_baselines.items()
    }


def evaluation(config: Config) -> EvaluationParameters:
    """Of RankingEvaluator."""
    return EvaluationParameters(
        tasks={task.name: task.type for task in config.tasks},
        slices=SLICE_FEATURES,
        thresholds=config.effective_thresholds,
        baselines=config.baselines,
    )


def day_evaluation(config: Config, splits: tuple[str, ...]) -> EvaluationParameters:
    """Of the evaluation of a day by what is served: nothing is blessed by it."""
    return dataclasses.replace(evaluation(config), thresholds=(), splits=splits)


def day_gate(config: Config) -> EvaluationParameters:
    """Of the evaluation that blesses a day's candidate.

    Where no thresholds are configured, it has to be about as good as the ranker that is served.
    """
    if config.thresholds is not None:
        return evaluation(config)
    thresholds = tuple(
        dataclasses.replace(one, peer="served") for one in config.effective_thresholds
    )
    return dataclasses.replace(evaluation(config), thresholds=thresholds)


def _ranker(config: Config, representation: RepresentationConfig) -> dict[str, Any]:
    return {
        "representation": to_dict(representation),
        "ranker": to_dict(config.ranker),
        "tasks": [to_dict(task) for task in config.tasks],
        "context": _context(config),
        "history_length": config.history.length,
        "history_labels": [task.name for task in config.tasks] if config.history.labelled else [],
    }


def _context(config: Config) -> dict[str, Any]:
    """What Transform and the ranker read; the rest of `ContextConfig` is FeatureJoiner's."""
    context = to_dict(config.context)
    counted = config.counted_tasks
    return {
        **{name: context[name] for name in ("categorical", "numeric", "item_age")},
        "counters": None if counted is None else list(counted),
    }
