"""The pipeline with the ranker of `examples/own_ranker`."""

import glob
import io
import json
import os

import numpy as np
import pytest
import rich.console
import tensorflow as tf
import tensorflow_text  # noqa: F401  SentencePiece's ops

from semantic_id_ranking.cli.check_servable import check_servable
from semantic_id_ranking.cli.serve import base_paths
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.dag import create_pipeline
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.server.model_server import ModelServer
from tests import ROOT
from tests import synthetic
from tests.conftest import SMALL

EXAMPLE = ROOT / "examples" / "own_ranker"
DIN = "din_ranker.DinRanker"


@pytest.fixture
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthetic.write_small(tmp_path_factory.mktemp("small"))


def trainers(small, *overrides) -> dict[str, dict]:
    """The configuration of both ranker trainers."""
    config = load_config(None, overrides)
    inputs = look_at_inputs(
        str(small / "items.parquet"), str(small / "impressions.parquet"), config
    )
    pipeline = create_pipeline(inputs, config, Destinations.under(str(small)))
    found = {component.id: component.exec_properties for component in pipeline.components}
    return {
        name: found[name] | json.loads(found[name]["custom_config"])
        for name in ("Trainer.rqvae", "Trainer.ranker", "Trainer.random_hash")
    }


def test_the_examples_configuration_is_read():
    config = load_config(str(EXAMPLE / "config.yaml"))
    assert config.ranker.model == DIN
    assert [task.name for task in config.tasks] == ["like", "rating"]


def test_both_rankers_have_it_and_its_code_is_in_the_cache_key(small, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    code = (EXAMPLE / "din_ranker.py").read_text()
    (tmp_path / "copied_ranker").mkdir()
    (tmp_path / "copied_ranker" / "__init__.py").touch()
    (tmp_path / "copied_ranker" / "din.py").write_text(code)
    (tmp_path / "copied_ranker" / "unused.py").touch()
    own = "ranker.model=copied_ranker.din.DinRanker"
    ours, before = trainers(small), trainers(small, own)
    for name in ("Trainer.ranker", "Trainer.random_hash"):
        assert before[name]["ranker"]["model"] == "copied_ranker.din.DinRanker"
        assert before[name]["code_version"] != ours[name]["code_version"]
    (tmp_path / "copied_ranker" / "unused.py").write_text("NOT_IMPORTED = 1\n")
    assert trainers(small, own) == before
    (tmp_path / "copied_ranker" / "din.py").write_text(code + "\n# Edited.\n")
    after = trainers(small, own)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"Trainer.ranker", "Trainer.random_hash"}


def test_a_wrong_one_is_refused_before_the_pipeline_is_built(small):
    with pytest.raises(InputError, match=r"^ranker\.model: no_such\.ranker cannot be imported"):
        trainers(small, "ranker.model=no_such.ranker")


@pytest.mark.slow
def test_it_is_trained_evaluated_pushed_served_and_called_as_ours_is(importable, tmp_path):
    catalogue = synthetic.items()
    items = synthetic.write(catalogue, tmp_path / "items.parquet")
    impressions = synthetic.write(
        synthetic.impressions(catalogue), tmp_path / "impressions.parquet"
    )
    (tmp_path / "config.yaml").write_text(SMALL)
    config = load_config(str(tmp_path / "config.yaml"), [f"ranker.model={DIN}"])
    console = rich.console.Console(file=io.StringIO(), width=160)
    output = str(tmp_path / "output")
    summary = run_lib.run(items, impressions, output, config, console)
    assert summary.blessed
    assert all(summary.pushed.values())
    metrics = {name: model.metrics["click"] for name, model in summary.models.items()}
    assert metrics["ranker"]["all"].auc > 0.7
    assert metrics["ranker"]["unseen"].auc > metrics["random_hash"]["unseen"].auc

    records = RunRecords(os.path.join(output, "metadata.sqlite"))
    for name in ("Trainer.ranker", "Trainer.random_hash"):
        trained = tf.saved_model.load(f"{records.output(name, 'model').uri}/Format-Serving")
        names = [variable.name for variable in trained.ranker_variables]
        assert [name for name in names if "din_ranker" in name]
        assert not [name for name in names if "cross" in name]
    trained = tf.saved_model.load(f"{records.output('Trainer.ranker', 'model').uri}/Format-Serving")
    serving = os.path.join(output, "serving")
    check_servable(os.path.join(serving, "ranker"), console)
    (file, *_) = sorted(
        glob.glob(f"{records.output('FeatureJoiner', 'examples').uri}/Split-eval/*.gz")
    )
    examples = [record.numpy() for record in tf.data.TFRecordDataset(file, "GZIP").take(10)]
    with (
        ModelServer(base_paths(serving)) as server,
        RankerClient(server.address, sid_fingerprint=summary.sid.fingerprint) as ranker,
    ):
        for example in examples:
            one = tf.train.Example.FromString(example).features.feature
            current = list(one["current_sid"].int64_list.value)
            history = np.reshape(one["history_sid"].int64_list.value, (-1, 3))
            served = ranker.rank(
                {"sid": [list(one["candidate_sid"].int64_list.value)]},
                current={"sid": current} if current[0] >= 0 else None,
                history={"sid": history.astype(np.int64)},
                context={
                    "tab": one["context_tab"].bytes_list.value[0],
                    "hour": one["context_hour"].float_list.value[0],
                },
            )
            expected = trained.signatures["serving_default"](tf.constant([example]))
            for task in ("click", "watch"):
                np.testing.assert_allclose(served[task], expected[task], rtol=1e-4, atol=1e-5)
