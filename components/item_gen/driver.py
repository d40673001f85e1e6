"""ItemGen: what decides whether a cached result still holds."""

from typing import Any

from tfx.components.example_gen import driver
from tfx.components.example_gen import utils
from tfx.orchestration import data_types
from tfx.utils import io_utils

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet.example_gen_config import input_pattern
from semantic_id_ranking.components.parquet.example_gen_config import unpack_parameters
from semantic_id_ranking.components.parquet.first_impressions import needs_first_impressions
from semantic_id_ranking.components.parquet.item_parameters import ItemParameters
from semantic_id_ranking.components.parquet.row_group import list_files


class Driver(driver.FileBasedDriver):
    """TFX's driver, which fingerprints the items; and the impressions if items depend on them."""

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """See the base class."""
        exec_properties = super().resolve_exec_properties(
            exec_properties, pipeline_info, component_info
        )
        parameters = ItemParameters(**unpack_parameters(exec_properties))
        try:
            files = list_files(input_pattern(exec_properties))
            dependent = needs_first_impressions(files, parameters.created_at)
        except InputError:
            dependent = False  # The executor, whose failure TFX records, will say what is wrong.
        if dependent:
            exec_properties[utils.FINGERPRINT_PROPERTY_NAME] += (
                "\n" + io_utils.generate_fingerprint("impressions", parameters.impressions_path)
            )
        return exec_properties
