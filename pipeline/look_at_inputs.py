"""The first look at the two inputs of a run, before anything slow is imported."""

import dataclasses
import datetime
from collections.abc import Sequence

from semantic_id_ranking.inputs import impressions as impressions_lib
from semantic_id_ranking.inputs import items as items_lib
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.evaluation_start import check_evaluation
from semantic_id_ranking.inputs.evaluation_start import check_training
from semantic_id_ranking.inputs.evaluation_start import evaluation_start
from semantic_id_ranking.inputs.evaluation_start import impression_times
from semantic_id_ranking.inputs.first_impressions import lacks_creation
from semantic_id_ranking.inputs.timestamps import to_microseconds
from semantic_id_ranking.pipeline.component_parameters import impression_parameters
from semantic_id_ranking.pipeline.component_parameters import item_parameters
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.inputs import Inputs


def look_at_inputs(
    items: str | Sequence[str],
    impressions: str | Sequence[str],
    config: Config,
    skip_bad: int = 0,
) -> Inputs:
    """Looks at the files, at the types of all columns, at the items' ids and at all times.

    The ExampleGens check every other value later.

    Args:
        items: Paths of the items: files, folders or patterns.
        impressions: Paths of the impressions.
        config: Names the columns.
        skip_bad: Bad impressions that are put aside, at most.

    Raises:
        InputError: A file is missing or not Parquet, a column is missing or of a wrong type,
            an item comes twice, or time cannot be split.
    """
    item_data, log = DataSet.open(items), DataSet.open(impressions)
    columns = config.columns
    inputs = Inputs(
        items=item_data,
        impressions=log,
        first_time=0,
        last_time=0,
        evaluation_start=datetime.datetime.fromtimestamp(0, datetime.timezone.utc),
        has_current_item=log.has(columns.current_item_id),
        items_need_impressions=False,
        skip_bad=skip_bad,
        notes=(),
    )
    notes = items_lib.check_columns(item_data, item_parameters(config, inputs))
    notes += impressions_lib.check_columns(log, impression_parameters(config, inputs))
    times = impression_times(log, columns.timestamp, skip_bad)
    start = config.split.evaluation_start
    if start is None:
        start = evaluation_start(times, config.split.evaluation_fraction)
    if start.tzinfo is None:
        start = start.replace(tzinfo=datetime.timezone.utc)
    check_training(times.min(), to_microseconds(start), log.name, columns.timestamp)
    check_evaluation(times.max(), to_microseconds(start), log.name, columns.timestamp)
    items_lib.check_ids(item_data, columns.item_id)
    return dataclasses.replace(
        inputs,
        first_time=int(times.min()),
        last_time=int(times.max()),
        evaluation_start=start,
        items_need_impressions=lacks_creation(item_data, columns.created_at),
        notes=tuple(notes),
    )
