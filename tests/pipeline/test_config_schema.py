import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import TaskConfig
from semantic_id_ranking.pipeline.config_reference import config_reference
from semantic_id_ranking.pipeline.config_schema import config_schema
from semantic_id_ranking.pipeline.config_schema import configuration_dataclasses
from semantic_id_ranking.pipeline.config_schema import field_descriptions
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import SidHybrid
from tests import ROOT


@pytest.fixture(scope="module")
def validator():
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_shipped_configurations_fit_the_schema(validator, path):
    validator.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "tasks: [{name: a, positive_weight: balanced}]",
        "representation: {rows: 64}",
        "representation: {name: sid_hybrid, tau: 2}",
        "representation: {name: dense_projected, factor: 1.5}",
        "split: {evaluation_start: '2024-01-01'}",
    ],
)
def test_what_is_valid_fits_the_schema(validator, text):
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("rankr: {}", []),
        ("ranker: {epoch: 3}", ["ranker"]),
        ("ranker: {epochs: 0}", ["ranker", "epochs"]),
        ("tasks: [{type: ternary}]", ["tasks", 0, "type"]),
        ("tasks: [{positive_weight: [1]}]", ["tasks", 0, "positive_weight"]),
        ("representation: {name: sid_spm, tau: 2}", ["representation"]),
        ("representation: {name: magic}", ["representation"]),
    ],
)
def test_what_is_wrong_does_not(validator, text, where):
    (error,) = validator.iter_errors(yaml.safe_load(text))
    assert list(error.absolute_path) == where


def test_every_field_is_described_by_its_docstring():
    kinds = configuration_dataclasses()
    assert {Config, TaskConfig, *REGISTRY.values()} <= set(kinds)
    for kind in kinds:
        assert all(field_descriptions(kind).values())
    assert field_descriptions(TaskConfig)["weight"] == "Weight of the task in the loss."
    hybrid = field_descriptions(SidHybrid)
    assert list(hybrid)[:3] == ["name", "rows", "separate_tables"]
    assert hybrid["rows"] == "Rows of the embedding tables together, at most."
    assert config_schema()["$defs"]["SidHybrid"]["properties"]["tau"]["description"] == (
        "Training impressions at which an item's own row counts half."
    )


def test_the_reference_page_is_up_to_date():
    page = Path(ROOT, "docs/reference/configuration.md").read_text()
    assert page == config_reference(), "run: sid config reference > docs/reference/configuration.md"
    assert "| `epochs` | integer | `2` | ≥ 1 | Passes over the training impressions. |" in page


def test_the_schema_is_json():
    assert json.loads(json.dumps(config_schema())) == config_schema()
