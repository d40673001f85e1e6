import re

import pytest

from semantic_id_ranking.components import artifacts
from semantic_id_ranking.pipeline.destinations import PIPELINE_NAME

# What TFX's Kubeflow runner accepts: compiler_utils.py and pipeline_builder.py of its folder v2.
TYPE = re.compile(r"[a-z][a-z0-9-_]{2,20}[.][A-Z][a-zA-Z0-9-_]{2,49}")
PIPELINE = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (artifacts.SemanticIds, "sid.SemanticIds"),
        (artifacts.SidReport, "sid.Report"),
        (artifacts.State, "sid.State"),
        (artifacts.Predictions, "sid.Predictions"),
        (artifacts.RankingEvaluation, "sid.RankingEvaluation"),
        (artifacts.RankerState, "sid.RankerState"),
    ],
)
def test_kubeflow_accepts_the_artifact_types(kind, name):
    assert name == kind.TYPE_NAME
    assert TYPE.fullmatch(name)


def test_kubeflow_accepts_the_pipeline_name():
    assert PIPELINE.fullmatch(PIPELINE_NAME)
