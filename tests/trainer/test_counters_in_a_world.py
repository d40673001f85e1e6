"""Value of counters in a world where items differ by their rates and by nothing else."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.train import train
from tests.trainer import ranker_cases as cases

CONFIG = dataclasses.replace(cases.SMALL, batch_size=500, epochs=3, learning_rate=0.01)
IMPRESSIONS = 120
TRAINED, NEW = 100, 100
# Of the new items' impressions, those before the evaluation.
BEFORE = 100


@dataclasses.dataclass
class World:
    """Impressions of users who are all new, of items whose Semantic IDs say nothing."""

    rate: np.ndarray
    label: np.ndarray
    raw: dict[str, np.ndarray]


def world(items: int, seed: int, first: int = 0) -> World:
    """Impressions of some items, from their first or a later one on, in a random order."""
    rng = np.random.default_rng(seed)
    item = np.repeat(np.arange(items), IMPRESSIONS)
    rates = rng.beta(2, 2, items)
    labels = (rng.random((items, IMPRESSIONS)) < rates[:, None]).astype(float)
    earlier = np.tile(np.arange(IMPRESSIONS, dtype=float), items)
    positives = (labels.cumsum(axis=1) - labels).ravel()
    of_item = np.stack([earlier, earlier, positives], axis=1)
    sids = rng.integers(0, cases.CODES, (items, cases.LEVELS))
    rows = rng.permutation(np.flatnonzero(earlier >= first))
    n = len(rows)
    raw = {
        "candidate_sid": sids[item[rows]],
        "current_sid": np.full((n, cases.LEVELS), -1),
        "history_sid": np.full((n, 1, cases.LEVELS), -1),
        "context_tab": np.full(n, b"home"),
        "context_hour": np.zeros(n, np.float32),
        # Nothing has faded.
        "context_item_counters": np.tile(of_item, 2)[rows].astype(np.float32),
        "context_user_counters": np.zeros((n, 3), np.float32),
        "context_user_code_counters": np.zeros((n, 6), np.float32),
    }
    return World(rates[item[rows]], labels.ravel()[rows].astype(np.float32), raw)


def auc_on_new_items(context) -> float:
    """Trains on impressions of some items and ranks those of others."""
    training, evaluation = world(TRAINED, seed=1), world(NEW, seed=2, first=BEFORE)
    representation = cases.representation()
    builder = FeatureBuilder(representation, context, history_length=1)
    features = {**builder(_tensors(training)), "label_click": tf.constant(training.label)}
    data = tf.data.Dataset.from_tensor_slices(features).batch(CONFIG.batch_size)
    tf.keras.utils.set_random_seed(0)
    model = train(
        data, representation, context.spec, (cases.CLICK,), CONFIG, {"click": LabelMoments()}
    ).model
    scores = model(builder(_tensors(evaluation)))["click"].numpy()
    return roc_auc_score(evaluation.label, scores)


def _tensors(made: World) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in made.raw.items()}


@pytest.fixture(scope="module")
def oracle() -> float:
    """The AUC of whoever knows the rates."""
    evaluation = world(NEW, seed=2, first=BEFORE)
    return roc_auc_score(evaluation.label, evaluation.rate)


def test_counters_rank_new_items_nearly_as_well_as_their_rates(counted, oracle):
    auc = auc_on_new_items(counted)
    # A rate that is estimated from a hundred labels is off by .05.
    assert oracle - 0.02 < auc <= oracle


def test_without_counters_new_items_are_ranked_at_random(context, oracle):
    assert abs(auc_on_new_items(context) - 0.5) < 0.05 < oracle - 0.65
