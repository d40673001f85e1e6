"""Component Releaser: inputs, outputs and parameters."""

from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from semantic_id_ranking.components.artifacts import ReleasedModels
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.releaser import executor


class ReleaserSpec(component_spec.ComponentSpec):
    """Interface of Releaser."""

    PARAMETERS = {
        "serving": component_spec.ExecutionParameter(type=str),
        "config": component_spec.ExecutionParameter(type=str),
        "renews_store": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "ranker": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "semantic_id": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
        "state": component_spec.ChannelParameter(type=State),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"release": component_spec.ChannelParameter(type=ReleasedModels)}


class Releaser(base_component.BaseComponent):
    """Makes a blessed ranker, and all that it needs, what is served.

    The Semantic IDs get into the store, with counters and users where the ranker reads them; both
    models are copied beside the versions, loaded and called; they are renamed in, the encoder
    first; `release.json` follows. A model that is a version already is not copied, and a ranker
    that was rolled back is not released again.

    Args:
        ranker: The ranker.
        semantic_id: The encoder of its SID space.
        semantic_ids: The items' Semantic IDs.
        state: Counters of items, users, and the items' titles, which `release.json` names.
        model_blessing: What Evaluator says of the ranker.
        serving: Folder of the models' base folders, which a model server watches.
        config: The configuration, which `release.json` repeats; its `serving` says where the store
            is and how many versions stay.
        renews_store: Whether Semantic IDs, counters and users get into the store, for the ranker
            that is served in their SID space, where this one is not blessed.
    """

    SPEC_CLASS = ReleaserSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        ranker: types.BaseChannel,
        semantic_id: types.BaseChannel,
        semantic_ids: types.BaseChannel,
        state: types.BaseChannel,
        model_blessing: types.BaseChannel,
        serving: str,
        config: Mapping[str, Any],
        renews_store: bool = False,
    ):
        super().__init__(
            ReleaserSpec(
                ranker=ranker,
                semantic_id=semantic_id,
                semantic_ids=semantic_ids,
                state=state,
                model_blessing=model_blessing,
                serving=serving,
                config=json_utils.dumps(dict(config)),
                renews_store=int(renews_store),
                code_version=code_version(executor.Executor),
                release=types.Channel(type=ReleasedModels),
            )
        )
