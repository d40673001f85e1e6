"""The signature `rank_top_k` of an exported ranker."""

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from tests.trainer import ranker_cases as cases

CANDIDATES = [[0, 1], [2, 3], [0, 1], [3, 3], [1, 2]]


@pytest.fixture(scope="module")
def export(context, tmp_path_factory):
    """Exports a ranker of some tasks and loads its signatures."""

    def export_tasks(*tasks):
        layer = cases.representation()
        model = cases.ranker(tasks, context=context.spec, layer=layer)
        for number, weight in enumerate(model.trainable_weights):
            weight.assign(np.random.default_rng(number).normal(0, 0.5, weight.shape))
        builder = FeatureBuilder(layer, context, history_length=3)
        directory = str(tmp_path_factory.mktemp("ranker"))
        export_ranker(model, builder, cases.SPACE, "sid_ngram", directory)
        return tf.saved_model.load(directory).signatures

    return export_tasks


@pytest.fixture(scope="module")
def signatures(export):
    return export(cases.CLICK, cases.WATCH)


REQUEST = {
    "candidate_sid": tf.constant(CANDIDATES, tf.int64),
    "current_sid": tf.constant([[2, 3]], tf.int64),
    "history_sid": tf.constant([[[1, 1], [3, 0]]], tf.int64),
    "context_tab": tf.constant(["home"]),
    "context_hour": tf.constant([12.0]),
}


@pytest.mark.parametrize("top_k", [0, 1, 3, 5, 50])
@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0), (-2.0, 0.1)])
def test_the_best_of_rank(signatures, top_k, weights):
    scores = {task: values.numpy() for task, values in signatures["rank"](**REQUEST).items()}
    click, watch = (np.float32(weight) for weight in weights)
    weighted = (click * scores["click"] + watch * scores["watch"]).tolist()
    order = sorted(range(len(CANDIDATES)), key=lambda index: (-weighted[index], index))[:top_k]
    best = signatures["rank_top_k"](
        **REQUEST,
        top_k=tf.constant(top_k),
        weight_click=tf.constant(click),
        weight_watch=tf.constant(watch),
    )
    assert set(best) == {"candidate_index", "click", "watch"}
    assert best["candidate_index"].numpy().tolist() == order
    for task, values in scores.items():
        np.testing.assert_allclose(best[task], values[order], rtol=1e-6)


def test_a_task_may_not_be_named_as_the_index_is(export):
    with pytest.raises(ValueError, match="candidate_index"):
        export(TaskConfig("candidate_index", "clicked"))
