"""The components that a run has its SID space from."""

import dataclasses
import os

from tfx import types
from tfx import v1 as tfx
from tfx.dsl.components.base import base_node
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.drift_check.component import DriftCheck
from semantic_id_ranking.pipeline import component_parameters as parameters
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord
from semantic_id_ranking.pipeline.destinations import Destinations

#: Function that TFX calls by its name.
RQVAE = "semantic_id_ranking.trainer.rqvae.run_fn.run_fn"


@dataclasses.dataclass(frozen=True)
class SpaceSource:
    """The components that a run has its SID space from.

    Attributes:
        rqvae: The RQ-VAE.
        semantic_ids: Semantic IDs that are kept; None: there are none.
        components: All of them.
    """

    rqvae: types.BaseChannel
    semantic_ids: types.BaseChannel | None
    components: list[base_node.BaseNode]

    @classmethod
    def create(
        cls,
        item_gen: base_node.BaseNode,
        config: Config,
        destinations: Destinations,
        space: SpaceRecord | None,
    ) -> "SpaceSource":
        """Makes the components.

        Args:
            item_gen: Reads the items.
            config: How an RQ-VAE is trained.
            destinations: Where the run writes.
            space: Where the space comes from; None, or one without a model, is trained.
        """
        items = item_gen.outputs["examples"]
        if space is None or space.model is None:
            rqvae = tfx.components.Trainer(
                run_fn=RQVAE,
                examples=items,
                train_args=tfx.proto.TrainArgs(splits=["train"]),
                eval_args=tfx.proto.EvalArgs(splits=["eval"]),
                custom_config={**parameters.rqvae(config), "code_version": code_version(RQVAE)},
            ).with_id("Trainer.rqvae")
            return cls(rqvae.outputs["model"], None, [rqvae])
        output = os.path.dirname(destinations.serving)
        model = _importer("rqvae", os.path.join(output, space.model), standard_artifacts.Model)
        assert space.semantic_ids is not None
        semantic_ids = _importer(
            "semantic_ids", os.path.join(output, space.semantic_ids), SemanticIds
        )
        drift = DriftCheck(
            examples=items,
            model=model.outputs["result"],
            earlier=semantic_ids.outputs["result"],
            refuse_stop=True,
        )
        return cls(
            model.outputs["result"], semantic_ids.outputs["result"], [model, semantic_ids, drift]
        )


def _importer(name: str, uri: str, kind: type[types.Artifact]) -> tfx.dsl.Importer:
    return tfx.dsl.Importer(source_uri=uri, artifact_type=kind).with_id(f"Kept.{name}")
