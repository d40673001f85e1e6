"""The summary of a run as a file."""

import copy
import json

import pydantic
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.run_summary import RunSummary

MEANS = {"mean_prediction": 0.5, "mean_label": 0.25, "prediction_over_label": 2.0}
#: As docs/reference/run-summary.md describes it.
CONTENT = {
    "run_id": "2024-03-01T00:00:00",
    "impressions": {
        "joined": {"train": 90, "eval": 10},
        "unknown_items": 3,
        "without_user": {"train": 1, "eval": 0},
        "masked_labels": {"train": {"click": 2, "watch": 5}, "eval": {"click": 0, "watch": 1}},
    },
    "sid": {
        "levels": 2,
        "codebook_size": 16,
        "fingerprint": "0123456789abcdef",
        "unique_fraction": 0.5,
        "codebook_use": [1.0, 0.0625],
        "reconstruction": 0.25,
        "reconstruction_median": 0.125,
        "outlying_items": 0,
        "idle_levels": [1],
    },
    "tokenizer": {"pieces": 120, "multi_code_pieces": 71, "mean_pieces_per_impression": 1.5},
    "models": {
        name: {
            "representation": representation,
            "table_rows": 120,
            "metrics": {
                "click": {
                    "all": {"auc": 0.75, "gauc": 0.5, **MEANS, "examples": 10},
                    "new": {"auc": None, **MEANS, "examples": 2, "why_not": "every label is 0"},
                },
                "watch": {"all": {"rmse": 2.5, **MEANS, "examples": 9}},
            },
        }
        for name, representation in (("ranker", "sid_spm"), ("random_hash", "random_hash"))
    },
    "evaluation": {
        "headline": "sid_spm over random_hash, AUC of click: not known on 10 impressions",
        "strongest": {"click": "random_hash", "watch": "random_hash"},
        "slices": {
            "click": {
                "all": {
                    "examples": 10,
                    "positives": 4,
                    "negatives": 6,
                    "users": 3,
                    "items": 7,
                    "caution": "4 positives, fewer than 50",
                    "differences": {
                        "random_hash": {
                            "auc": {"estimate": 0.25, "low": -0.5, "high": 1.0, "gain": None}
                        }
                    },
                }
            },
            "watch": {
                "all": {
                    "examples": 9,
                    "users": 3,
                    "items": 7,
                    "caution": None,
                    "differences": {
                        "random_hash": {
                            "rmse": {"estimate": -0.5, "low": None, "high": None, "gain": "better"}
                        }
                    },
                }
            },
        },
        "limits": ["A seed is left out."],
    },
    "blessed": False,
    "missed": ["task click, slice all: AUC 0.75 is below the threshold 0.8"],
    "pushed": {"ranker": None, "semantic_id": None},
    "seconds": {"ItemGen": 1.25},
    "inputs": {
        "items": {"missing": 0, "future": 0, "before_1970": 0},
        "impressions": {"rows": 103, "rejected": 0},
    },
    "made_of": {
        "config": {"tasks": [{"name": "click"}]},
        "seeds": {"rqvae": 0, "ranker": 1},
        "versions": {"python": "3.10.13"},
        "data": {"items": "0f", "impressions": "1e"},
    },
}


@pytest.fixture
def read(tmp_path):
    """Function that reads a summary of some JSON text."""

    def read(text):
        path = tmp_path / "summary.json"
        path.write_text(text, encoding="utf-8")
        return RunSummary.read(str(path))

    return read


def test_what_is_read_is_written_to_the_last_key(read):
    text = json.dumps(CONTENT)
    summary = read(text)
    assert json.dumps(summary.to_json()) == text
    metrics = summary.models["ranker"].metrics
    found = [metrics["click"]["all"], metrics["click"]["new"], metrics["watch"]["all"]]
    assert [(one.metric, one.value, one.why_not) for one in found] == [
        ("auc", 0.75, None),
        ("auc", None, "every label is 0"),
        ("rmse", 2.5, None),
    ]


def test_a_key_of_a_later_version_is_kept(read):
    content = copy.deepcopy(CONTENT)
    content["sid"]["entropy"] = {"bits": [4.0]}
    assert read(json.dumps(content)).to_json() == content


def test_a_damaged_file_is_named_with_the_field(read):
    wrong = copy.deepcopy(CONTENT)
    wrong["sid"]["levels"] = "two"
    lacking = copy.deepcopy(CONTENT)
    del lacking["tokenizer"]["pieces"]
    for text, fact in (
        (json.dumps(CONTENT)[:100], r"is damaged \(invalid JSON: EOF while parsing"),
        (json.dumps(wrong), r"sid\.levels: 'two' is not allowed; input should be a valid integer"),
        (json.dumps(lacking), r"tokenizer\.pieces: is missing"),
        ("[]", "the content: .* is not allowed"),
    ):
        with pytest.raises(InputError, match=rf"/summary\.json: .*{fact}") as error:
            read(text)
        assert "\n" not in str(error.value)


def test_nothing_of_a_summary_changes():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        RunSummary.model_validate(CONTENT).blessed = True
