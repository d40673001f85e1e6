"""Worker processes of Beam, one of which is killed."""

import os
import pathlib
import signal
import threading
import time

import numpy as np
import psutil
import pytest

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.encoding import beam_workers
from semantic_id_ranking.encoding.batch import encode_parquet
from tests.encoding import floor_model

COUNT = 60_000


def kill_a_worker_halfway(folder: pathlib.Path, killed: list[int]) -> None:
    """Waits until some part is done and kills one of the processes that work on others."""
    while not list(folder.glob(".sids.*/done-*.json")):
        time.sleep(0.005)
    for process in psutil.Process().children(recursive=True):
        if "sdk_worker_main" in " ".join(process.cmdline()):
            os.kill(process.pid, signal.SIGKILL)
            killed.append(process.pid)
            return


def test_a_killed_worker_costs_a_retry_and_neither_a_loss_nor_a_double(tmp_path, monkeypatch):
    model = floor_model.save_model(tmp_path / "model")
    embeddings = np.random.default_rng(0).uniform(0, 99, (COUNT, 2)).astype(np.float32)
    items = floor_model.write_items(
        tmp_path / "items.parquet", embeddings.tolist(), row_group_size=7000
    )
    attempts, killed = [], []
    attempt = beam_workers._attempt

    def counted(job, parts, workers):
        attempts.append(len(parts))
        return attempt(job, parts, workers)

    monkeypatch.setattr(beam_workers, "_attempt", counted)
    killer = threading.Thread(target=kill_a_worker_halfway, args=(tmp_path, killed), daemon=True)
    killer.start()
    result = encode_parquet(
        items,
        model,
        str(tmp_path / "sids"),
        item_id="film",
        embedding="vector",
        workers=2,
        part_rows=200,
    )
    killer.join(timeout=1)
    assert killed
    assert len(attempts) == 2
    assert 0 < attempts[1] < attempts[0] == COUNT // 200
    assert (result.encoded, result.rejected) == (COUNT, 0)
    ids, sids, _ = sid_table.read(str(tmp_path / "sids"))
    order = np.argsort([int(item[1:]) for item in ids])
    assert [ids[i] for i in order] == [f"f{i}" for i in range(COUNT)]
    np.testing.assert_array_equal(sids[order], np.floor(embeddings).astype(np.int32))


def test_workers_that_die_again_and_again_end_the_run_without_an_output(tmp_path, monkeypatch):
    model = floor_model.save_model(tmp_path / "model")
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.0, 2.0]] * 10)
    tries = []
    monkeypatch.setattr(beam_workers, "_attempt", lambda *_: tries.append(1) or -signal.SIGKILL)
    with pytest.raises(RuntimeError, match="died"):
        encode_parquet(
            items,
            model,
            str(tmp_path / "sids"),
            item_id="film",
            embedding="vector",
            workers=2,
        )
    assert len(tries) == 1 + beam_workers.RETRIES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.parquet", "model"]
