import pyarrow.parquet as pq
import pytest

from benchmarks import encode_beam


def run(items, workers, seconds, peak):
    return {
        "items": items,
        "workers": workers,
        "seconds": seconds,
        "cpu_seconds": 2 * seconds,
        "peak_bytes_of_all_processes": peak,
        "peak_bytes_of_largest_process": peak // 2,
    }


def test_rates_are_with_and_without_the_start_up():
    runs = [
        run(encode_beam.START_UP_ITEMS, 1, 5.0, 90),
        run(100_000, 1, 10.0, 100),
        run(1_000_000, 1, 55.0, 110),
        run(encode_beam.START_UP_ITEMS, 2, 10.0, 100),
        run(100_000, 2, 14.0, 200),
        run(1_000_000, 2, 50.0, 204),
    ]
    report = encode_beam.summarize(runs, 40_000.0, 25_000.0)
    assert report["start_up_seconds"] == {"1": 5.0, "2": 10.0}
    assert report["ratio"] == pytest.approx(0.5)  # 20,000 items/s
    assert report["cpu_ratio"] == pytest.approx(0.4)  # 10,000 items/s of processor time
    assert report["ratio_after_start_up"] == pytest.approx(0.625)  # 25,000 items/s
    assert report["memory_growth"] == pytest.approx({"1": 1.1, "2": 1.02})
    rates = [one["items_per_s"] for one in report["runs"] if one["items"] == 100_000]
    assert rates == pytest.approx([10_000, 100_000 / 14])


def test_items_are_of_one_row_group_and_of_the_models_width(tmp_path):
    path = str(tmp_path / "items.parquet")
    encode_beam.write_items(path, 50)
    file = pq.ParquetFile(path)
    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (50, 1)
    table = file.read()
    assert len(set(table["item_id"].to_pylist())) == 50
    assert {len(vector) for vector in table["embedding"].to_pylist()} == {encode_beam.DIM}
