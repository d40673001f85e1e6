import dataclasses
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.distribution import Distribution
from semantic_id_ranking.trainer.ranker.representations import item_representation
from tests import ROOT
from tests.trainer import ranker_cases as cases

# One of the processes of a cluster: trains, predicts, and leaves what came of it in a file.
PROCESS = """
import sys
import numpy as np
from tests.trainer import test_ranker_distribution as this
kind, size, output = sys.argv[1:]
if kind == "parameter_server":
    this.serve()
np.savez(output, **this.trained(kind, size))
"""


def data(distribution, config):
    """19 examples in batches of 6: the last batch has one, which one of two replicas gets.

    Returns:
        All examples, the shuffled batches to train on, and batches to evaluate.
    """
    tf.random.set_seed(0)
    rng = np.random.default_rng(0)
    sids = rng.integers(0, cases.CODES, (19, cases.LEVELS))
    inputs = cases.features(sids.tolist(), rng.integers(-1, cases.CODES, (19, 3, 2)).tolist())
    inputs["label_click"] = tf.constant((sids[:, 0] == 0).astype(np.float32))
    examples = tf.data.Dataset.from_tensor_slices(inputs)
    batches = [some.batch(config.batch_size) for some in (examples.shuffle(19, seed=3), examples)]
    return inputs, *map(distribution.split, batches)


def serve():
    """Runs the servers of the cluster in the chief's process."""
    cluster = json.loads(os.environ["TF_CONFIG"])["cluster"]
    del cluster["chief"]
    # A server waits for another one in a thread that on few cores is the only one.
    threads = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=4)
    for job, addresses in cluster.items():
        for index in range(len(addresses)):
            tf.distribute.Server(cluster, job, index, protocol="grpc", config=threads)


def trained(kind, size):
    """Trains sid_hybrid, which has two tables, and gives all numbers that it ends with.

    Args:
        kind: The distribution.
        size: "large": its own rows are a table that is too large to be trained as a whole.
    """
    distribution = Distribution(kind)
    from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
    from semantic_id_ranking.trainer.ranker.representations import SidHybrid
    from semantic_id_ranking.trainer.ranker.train import train
    from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
    from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

    if size == "large":
        item_representation._SMALL_ROWS_AN_IMPRESSION = 0
    sids = np.indices([cases.CODES] * cases.LEVELS).reshape(cases.LEVELS, -1).T
    items = ImpressedItems.select([f"i{i}" for i in range(len(sids))], sids, np.arange(len(sids)))
    codebooks = np.random.default_rng(0).normal(size=(cases.LEVELS, cases.CODES, 5))
    codebooks = codebooks.astype(np.float32)
    config = dataclasses.replace(
        cases.SMALL, distribution=kind, epochs=2, batch_size=6, l2=0.1, weight_decay=0.1
    )
    representation = SidHybrid(rows=40).create(
        config.embedding_dim, SidTokenizer(cases.SPACE, items=items, codebooks=codebooks)
    )
    inputs, batches, eval_batches = data(distribution, config)
    result = train(
        batches,
        representation,
        ContextSpec(),
        (cases.CLICK,),
        config,
        {},
        eval_data=eval_batches,
        distribution=distribution,
    )
    weights = {
        f"weight_{i}": weight.numpy() for i, weight in enumerate(result.model.trainable_variables)
    }
    return weights | {
        "chief": distribution.is_chief,
        "labels": inputs["label_click"].numpy(),
        "predictions": result.model(inputs)["click"].numpy(),
        "loss": result.loss,
        "examples": result.examples,
        **{f"evaluation_{name}": value for name, value in result.evaluation.items()},
    }


def start(folder, kind, size, name, tf_config):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TF_CONFIG": json.dumps(tf_config),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    output = str(folder / f"{name}.npz")
    command = [sys.executable, "-W", "ignore", "-c", PROCESS, kind, size, output]
    with open(folder / f"{name}.log", "w") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def free_addresses(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "large"])
def test_two_workers_train_what_one_process_trains(tmp_path, size, monkeypatch):
    monkeypatch.setattr(
        item_representation,
        "_SMALL_ROWS_AN_IMPRESSION",
        item_representation._SMALL_ROWS_AN_IMPRESSION,
    )
    cluster = {"worker": free_addresses(2)}
    workers = [
        start(
            tmp_path,
            "multi_worker_mirrored",
            size,
            f"worker{i}",
            {"cluster": cluster, "task": {"type": "worker", "index": i}},
        )
        for i in range(2)
    ]
    expected = trained("none", size)
    for i, worker in enumerate(workers):
        assert worker.wait(600) == 0, (tmp_path / f"worker{i}.log").read_text()[-3000:]
        found = np.load(tmp_path / f"worker{i}.npz")
        assert set(found) == set(expected)
        assert found["chief"] == (i == 0)
        for name in set(expected) - {"chief"}:
            np.testing.assert_allclose(found[name], expected[name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize("size", ["small", "large"])
def test_workers_train_at_their_own_pace_with_a_parameter_server(tmp_path, size):
    addresses = free_addresses(4)
    tf_config = {
        "cluster": {"chief": addresses[:1], "worker": addresses[1:3], "ps": addresses[3:]},
        "task": {"type": "chief", "index": 0},
    }
    chief = start(tmp_path, "parameter_server", size, "chief", tf_config)
    assert chief.wait(600) == 0, (tmp_path / "chief.log").read_text()[-3000:]
    found = np.load(tmp_path / "chief.npz")
    assert found["chief"]
    assert found["evaluation_examples"] == 19
    p = np.where(found["labels"] == 1, found["predictions"], 1 - found["predictions"])
    assert found["evaluation_loss"] == pytest.approx(-np.log(p).mean(), rel=1e-4)
    # An untrained model says a half.
    assert found["evaluation_loss"] < np.log(2) - 0.01


@pytest.mark.parametrize("kind", ["multi_worker_mirrored", "parameter_server"])
def test_a_cluster_has_to_be_described(monkeypatch, kind):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match=f"{kind} finds no workers; .* TF_CONFIG"):
        Distribution(kind)
