import json

import pytest

from benchmarks import publish


@pytest.mark.redis
def test_both_stores_are_measured_against_the_bar(tmp_path):
    output = tmp_path / "publish.json"
    publish.main(items=1_000, output=str(output))
    report = json.loads(output.read_text())
    assert set(report["stores"]) == {"sqlite", "redis"}
    for result, bar in zip(report["stores"].values(), report["bars"], strict=True):
        assert result["items_per_s"] == pytest.approx(1_000 / result["seconds"])
        assert bar["value"] == result["seconds"]
        assert bar["holds"] == (bar["value"] <= bar["limit"])
        # The codes alone are 16 bytes, and the name is 12.
        assert result["bytes_per_item"] > 28
