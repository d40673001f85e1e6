"""A run's report on its inputs, and its file of rejected impressions."""

import dataclasses
import json

import pyarrow as pa
import pyarrow.parquet as pq

from semantic_id_ranking.inputs.rejects import Reject
from semantic_id_ranking.inputs.rejects import to_table
from semantic_id_ranking.pipeline.input_report import input_report
from semantic_id_ranking.pipeline.input_report import sentences
from semantic_id_ranking.pipeline.run_records import Output


@dataclasses.dataclass
class Records:
    """Outputs of two components, in a folder."""

    folder: str

    def output(self, node, key):
        assert key == "examples"
        return Output(f"{self.folder}/{node}", {})


def records(tmp_path, rejects):
    items = {"missing": 0, "future": 3, "before_1970": 0, "rejected": 0}
    log = {"rows": 10, "rejected": len(rejects)}
    for node, counts in (("ItemGen", items), ("ImpressionGen", log)):
        (tmp_path / node).mkdir(exist_ok=True)
        (tmp_path / node / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    if rejects:
        pq.write_table(to_table(rejects), tmp_path / "ImpressionGen" / "rejects.parquet")
    return Records(str(tmp_path))


def test_bad_impressions_lie_in_the_runs_folder_until_there_are_none(tmp_path):
    path = tmp_path / "impressions.rejects.parquet"
    reject = Reject("log.parquet", 7, "i3", "click", "2", "0 or 1")
    report = input_report(records(tmp_path, [reject]), str(tmp_path))
    assert report == {
        "items": {"missing": 0, "future": 3, "before_1970": 0},
        "impressions": {"rows": 10, "rejected": 1},
    }
    assert sentences(report) == [
        "3 items were created after now",
        "1 bad impressions were put aside",
    ]
    assert pq.read_table(pa.BufferReader(path.read_bytes())).to_pylist() == [
        {
            "item_id": "i3",
            "file": "log.parquet",
            "row": 7,
            "reason": "column 'click': found 2, expected 0 or 1",
        }
    ]
    input_report(records(tmp_path, []), str(tmp_path))
    assert not path.exists()
