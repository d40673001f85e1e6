"""Executor of RefreshEvaluator."""

import json
import os
from typing import Any

from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils
from tfx.utils import path_utils

from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.ranking_evaluator.parameters import CANDIDATE
from semantic_id_ranking.components.ranking_evaluator.parameters import EvaluationParameters
from semantic_id_ranking.components.ranking_evaluator.prediction_table import read_predictions
from semantic_id_ranking.components.refresh_evaluator.compare import churn
from semantic_id_ranking.components.refresh_evaluator.compare import matched
from semantic_id_ranking.components.refresh_evaluator.compare import moved
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.evaluation import slice_sums
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.missed_thresholds import missed_thresholds
from semantic_id_ranking.evaluation.missed_thresholds import SERVED
from semantic_id_ranking.evaluation.predictions import concatenate
from semantic_id_ranking.evaluation.predictions import score_column
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.trainer.rqvae.analysis import relative_error
from semantic_id_ranking.trainer.rqvae.encode_array import encode_array
from semantic_id_ranking.trainer.rqvae.restore import restore
from semantic_id_ranking.trainer.rqvae.run_fn import read_items

REPORT_FILE = "refresh.json"
# Items whose reconstruction is measured, at most.
_SAMPLE = 20_000


class Executor(base_executor.BaseExecutor):
    """Compares Semantic IDs, reconstruction and predictions; writes `refresh.json`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: See the component.
            output_dict: `report`, `blessing`.
            exec_properties: `parameters` (JSON of `EvaluationParameters`), `beam`.

        Raises:
            InputError: No impression is in both predictions.
        """

        def uri(name: str) -> str:
            return artifact_utils.get_single_uri(input_dict[name])

        parameters = EvaluationParameters.from_dict(json.loads(exec_properties["parameters"]))
        items = artifact_utils.get_single_instance(input_dict["examples"])
        files = [
            examples_lib.split_pattern(items, split)
            for split in artifact_utils.decode_split_names(items.split_names)
        ]
        _, embeddings = read_items(files, _SAMPLE, seed=0)
        mean = embeddings.mean(axis=0)
        errors = {}
        for name in ("earlier_rqvae", "rqvae"):
            model = restore(path_utils.serving_model_path(uri(name)), exec_properties["beam"])
            decoded = model.decode(encode_array(model, embeddings)).numpy()
            errors[name] = relative_error(embeddings, decoded, mean)
        spec = parameters.spec((SERVED,))
        # Of the space before, the served ranker is the candidate.
        before_spec = EvaluationSpec(parameters.tasks, (CANDIDATE,), tuple(parameters.slices))
        before = concatenate(list(read_predictions(uri("earlier_predictions"), before_spec)))
        after = concatenate(list(read_predictions(uri("predictions"), spec)))
        paired, before = matched(after, before)
        block = dict(paired)
        shares = {}
        for task in parameters.tasks:
            score = before[score_column(CANDIDATE, task)]
            shares[task] = {
                "carried": moved(score, block[score_column(SERVED, task)]),
                "trained": moved(score, block[score_column(CANDIDATE, task)]),
            }
            block[score_column(SERVED, task)] = score
        histograms = slice_sums.merge_histograms([slice_sums.histograms(block, spec)])
        sums = slice_sums.slice_sums(block, spec, histograms)
        metrics = make_report(spec, histograms, sums)
        missed = missed_thresholds(metrics, parameters.thresholds)
        old, new = (
            sid_table.read(uri(name))[:2] for name in ("earlier_semantic_ids", "semantic_ids")
        )
        report = {
            "items": churn(*old, *new),
            "reconstruction": {"before": errors["earlier_rqvae"], "after": errors["rqvae"]},
            "impressions": len(block["time"]),
            "moved": shares,
            "metrics": metrics,
            "missed": missed,
        }
        folder = artifact_utils.get_single_uri(output_dict["report"])
        os.makedirs(folder, exist_ok=True)
        write_json(os.path.join(folder, REPORT_FILE), report)
        _bless(artifact_utils.get_single_instance(output_dict["blessing"]), not missed)


def _bless(blessing: types.Artifact, blessed: bool) -> None:
    """Writes what TFX's own Evaluator would."""
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
