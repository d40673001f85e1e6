"""The report on Semantic IDs as JSON."""

import json

from semantic_id_ranking.trainer.rqvae.semantic_id_report import SemanticIdReport

CONTENT = {
    "levels": 2,
    "codebook_size": 16,
    "fingerprint": "0123456789abcdef",
    "items": 8,
    "unique_fraction": 0.5,
    "codebook_use": [0.5, 0.0625],
    "idle_levels": [1],
    "perplexity": [7.5, 1.0],
    "reconstruction": 0.25,
    "reconstruction_median": 0.125,
    "outlying_items": 1,
    "reconstruction_items": "unseen",
    "prefixes": [
        {"prefix": 1, "pairs": 40, "mean_cosine": 0.5, "subtree_size": [1.0, 1.5, 3.0]},
        {"prefix": 2, "pairs": 2, "mean_cosine": None, "subtree_size": [1.0, 1.0, 1.0]},
    ],
}


def test_what_is_read_is_written_to_the_last_key():
    text = json.dumps(CONTENT)
    report = SemanticIdReport.from_json(text)
    assert (report.items, report.prefixes[1].mean_cosine) == (8, None)
    assert json.dumps(report.to_json()) == text
