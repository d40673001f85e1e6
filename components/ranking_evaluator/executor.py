"""The work of RankingEvaluator."""

import functools
import json
import os
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils
from tfx.utils import path_utils

from semantic_id_ranking._compat import beam_pipeline
from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.ranking_evaluator.parameters import CANDIDATE
from semantic_id_ranking.components.ranking_evaluator.parameters import EvaluationParameters
from semantic_id_ranking.components.ranking_evaluator.score_file import ScoreFile
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.evaluation import slice_sums
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.missed_thresholds import missed_thresholds
from semantic_id_ranking.evaluation.missed_thresholds import SERVED
from semantic_id_ranking.evaluation.predictions import concatenate
from semantic_id_ranking.evaluation.report import make_report

METRICS_FILE = "metrics.json"

Sums = dict[tuple[str, str], slice_sums.SliceSums]


def baseline_input(name: str) -> str:
    """The input of a baseline that is a ranker."""
    return f"baseline_{name}"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Scores on Beam file by file, and adds up histograms and sums group of users by group."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `semantic_ids`, `candidate`, the baselines that are rankers by
                `baseline_input` and, where there is one, `served`.
            output_dict: `predictions`, `evaluation`, `blessing`.
            exec_properties: `parameters` (JSON of `EvaluationParameters`).

        Raises:
            InputError: A model lives in another SID space than the examples, is damaged, or does
                not answer as a ranker has to; or there are no examples.
        """
        parameters = EvaluationParameters.from_dict(json.loads(exec_properties["parameters"]))
        artifacts = {CANDIDATE: input_dict[CANDIDATE][0]}
        artifacts |= {name: input_dict[baseline_input(name)][0] for name in parameters.rankers}
        if input_dict.get(SERVED):
            artifacts[SERVED] = input_dict[SERVED][0]
        models = {
            name: path_utils.serving_model_path(artifact.uri)
            for name, artifact in artifacts.items()
        }
        _require_space(models, artifact_utils.get_single_uri(input_dict["semantic_ids"]))
        spec = parameters.spec((SERVED,) if SERVED in models else ())
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        files = [
            path
            for split in parameters.splits
            for path in sorted(fileio.glob(examples_lib.split_pattern(examples, split)))
        ]
        predictions = artifact_utils.get_single_uri(output_dict["predictions"])
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        metrics = os.path.join(evaluation, METRICS_FILE)
        with beam_pipeline(self) as pipeline:
            blocks = (
                pipeline
                | "Files" >> beam.Create(list(enumerate(files)), reshuffle=False)
                # Else the runner fuses everything into one worker.
                | "Spread" >> beam.Reshuffle()
                | "Score"
                >> beam.ParDo(ScoreFile(models, spec, parameters.slices, predictions, len(files)))
                | beam.GroupByKey()
                | "Block" >> beam.MapTuple(lambda _, parts: concatenate(list(parts)))
            )
            histograms = beam.pvalue.AsSingleton(
                blocks
                | "Histograms" >> beam.Map(slice_sums.histograms, spec)
                | "MergeHistograms"
                >> beam.CombineGlobally(slice_sums.merge_histograms).without_defaults()
            )
            _ = (
                blocks
                | "Sums" >> beam.Map(slice_sums.slice_sums, spec, histograms)
                | "AddSums" >> beam.CombineGlobally(_add).without_defaults()
                | "WriteMetrics"
                >> beam.Map(_write_metrics, spec, histograms, parameters.thresholds, metrics)
            )
        if not fileio.exists(metrics):
            raise InputError(
                f"{examples.uri}: no example is in split {' or '.join(parameters.splits)}; there "
                "is nothing to evaluate"
            )
        with FileSystems.open(metrics) as file:
            blessed = not json.loads(file.read())["missed"]
        candidate, *others = artifacts.values()
        _bless(
            artifact_utils.get_single_instance(output_dict["blessing"]),
            {"current": candidate, **({"baseline": others[0]} if others else {})},
            blessed,
        )


def _require_space(models: Mapping[str, str], semantic_ids: str) -> None:
    """Refuses models that are damaged, or live in another space than the examples."""
    table = sid_table.files(semantic_ids)[0]
    space = sid_table.space_of(sid_table.read_schema(table))
    for name, path in models.items():
        check_file_digests(path)
        try:
            own = SidSpace.load(os.path.join(path, "assets.extra"))
            own.require_same(space, f"{path} ({name})", f"the examples' Semantic IDs, {table},")
        except SidSpaceMismatchError as error:
            raise InputError(f"nothing is evaluated: {error}") from error


def _add(parts: Iterable[Sums]) -> Sums:
    return functools.reduce(_add_to, parts, {})


def _add_to(total: Sums, part: Sums) -> Sums:
    for key, sums in part.items():
        if key in total:
            total[key].add(sums)
        else:
            total[key] = sums.copy()
    return total


def _write_metrics(
    sums: Sums,
    spec: EvaluationSpec,
    histograms: slice_sums.Histograms,
    thresholds: tuple,
    path: str,
) -> None:
    report = make_report(spec, histograms, sums)
    report["missed"] = missed_thresholds(report, thresholds)
    with FileSystems.create(path, "application/json") as file:
        file.write(json.dumps(report, indent=1).encode())


def _bless(blessing: types.Artifact, models: Mapping[str, types.Artifact], blessed: bool) -> None:
    """Writes what TFX's own Evaluator would, which Pusher and resolvers of blessed models read."""
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
    for model, uri_key, id_key in (
        (
            "current",
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY,
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY,
        ),
        (
            "baseline",
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY,
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY,
        ),
    ):
        if model in models:
            blessing.set_string_custom_property(uri_key, models[model].uri)
            blessing.set_int_custom_property(id_key, models[model].id)
