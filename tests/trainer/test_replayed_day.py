"""A day ranked through the client, from what a release put into the store."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.components.releaser.publish_sids import publish_sids
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.components.feature_joiner_runs import SPACE
from tests.components.feature_joiner_runs import values
from tests.serving.test_serving_released_state import days  # noqa: F401  a fixture
from tests.trainer import ranker_cases as cases


@pytest.fixture(scope="module")
def ranker_folder(counted, tmp_path_factory):
    """A ranker of random weights that reads counters and a history with its labels."""
    folder = tmp_path_factory.mktemp("models") / "ranker"
    layer = REGISTRY["sid_ngram"](rows=20).create(cases.DIM, SidTokenizer(SPACE))
    builder = FeatureBuilder(layer, counted, history_length=3, history_labels=("click",))
    config = dataclasses.replace(cases.SMALL, history_pooling="attention")
    model = Ranker(layer, counted.spec, (cases.CLICK,), config)
    model(builder(tf.io.parse_example(cases.random_examples(3), builder.parsing_spec)))
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    export_ranker(model, builder, SPACE, "sid_ngram", str(folder / "1"))
    return folder


def test_a_client_gives_what_an_evaluation_predicts(days, ranker_folder, tmp_path):  # noqa: F811
    before, _, rows = days
    url = f"sqlite:///{tmp_path}/store.sqlite"
    publish_sids(None, str(before / "sids"), url, str(before / "state"))
    examples = [tf.train.Example(features=tf.train.Features(feature=row)) for row in rows]
    # What RankingEvaluator calls.
    evaluated = tf.saved_model.load(str(ranker_folder / "1")).signatures["serving_default"]
    serialized = tf.constant([example.SerializeToString() for example in examples])
    predicted = evaluated(examples=serialized)["click"].numpy()
    assert predicted.std() > 0.05
    nothing = {"tab": "", "hour": float("nan")}
    found = []
    with (
        ModelServer({"ranker": ranker_folder}) as server,
        open_store(url) as store,
        RankerClient(server.address, store=store, timeout=30.0) as ranker,
    ):
        for row in rows:
            (item,) = values(row, "candidate_item_id")
            user = values(row, "user_id") if row["user_id"].WhichOneof("kind") else []
            ranking = ranker.rank_items(
                [item], user=user[0] if user else "somebody unknown", context=nothing
            )
            found.append(ranking.items[0].scores["click"])
    np.testing.assert_allclose(found, predicted, rtol=1e-5, atol=1e-5)
