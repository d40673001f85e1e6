"""Executor of SchemaGen."""

import os
from typing import Any

from tfx import types
from tfx.components.schema_gen import executor
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.types import artifact_utils
from tfx.utils import io_utils
from tfx.utils import json_utils

from semantic_id_ranking.components.schema_gen.relax import relax


class Executor(executor.Executor):
    """TFX's, which infers the schema; then the schema is relaxed."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `statistics`.
            output_dict: `schema`, the file `schema.pbtxt`.
            exec_properties: `required`, `optional` and `categorical`, features in JSON;
                `infer_feature_shape` and `exclude_splits` as TFX's executor wants them.
        """
        super().Do(input_dict, output_dict, exec_properties)
        statistics = stats_artifact_utils.load_statistics(
            artifact_utils.get_single_instance(input_dict["statistics"]), "train"
        ).proto()
        path = os.path.join(
            artifact_utils.get_single_uri(output_dict["schema"]), executor.DEFAULT_FILE_NAME
        )
        schema = relax(
            io_utils.SchemaReader().read(path),
            statistics,
            required=json_utils.loads(exec_properties["required"]),
            categorical=json_utils.loads(exec_properties["categorical"]),
            optional=json_utils.loads(exec_properties["optional"]),
        )
        io_utils.write_pbtxt_file(path, schema)
