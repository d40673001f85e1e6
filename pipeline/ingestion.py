"""The components that read and check the two inputs."""

import dataclasses

from tfx.dsl.components.base import base_component

from semantic_id_ranking.components.impression_gen.component import ImpressionGen
from semantic_id_ranking.components.item_gen.component import ItemGen
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.pipeline import component_parameters as parameters
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.input_checks import input_checks
from semantic_id_ranking.pipeline.inputs import Inputs


@dataclasses.dataclass(frozen=True)
class Ingestion:
    """The components that read and check the two inputs.

    Attributes:
        items: Reads the items.
        impressions: Reads the impressions.
        item_checks: Statistics, schema and validation of the items; the last one is the gate.
        impression_checks: The same of the impressions.
    """

    items: base_component.BaseComponent
    impressions: base_component.BaseComponent
    item_checks: list[base_component.BaseComponent]
    impression_checks: list[base_component.BaseComponent]

    @classmethod
    def create(
        cls, inputs: Inputs, config: Config, fingerprints: Fingerprints, guarded: bool = False
    ) -> "Ingestion":
        """Makes the components.

        Args:
            inputs: The input files, looked at and found readable.
            config: Names the columns.
            fingerprints: Knows the content of the files.
            guarded: Whether DayGuard judges the categories of the impressions, and not their
                training split.
        """
        log = fingerprints.record(inputs.impressions)
        items = ItemGen(
            items=fingerprints.record(inputs.items),
            impressions=log if inputs.items_need_impressions else None,
            parameters=dataclasses.asdict(parameters.item_parameters(config, inputs)),
        )
        impressions = ImpressionGen(
            impressions=log,
            parameters=dataclasses.asdict(parameters.impression_parameters(config, inputs)),
        )
        return cls(
            items,
            impressions,
            input_checks(items, "items", **parameters.item_checks(inputs)),
            input_checks(
                impressions,
                "impressions",
                **parameters.impression_checks(config, inputs, guarded),
            ),
        )

    @property
    def components(self) -> list[base_component.BaseComponent]:
        """All of them."""
        return [self.items, self.impressions, *self.item_checks, *self.impression_checks]
