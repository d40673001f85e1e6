import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.train import train
from tests.trainer import ranker_cases as cases

CONFIG = dataclasses.replace(cases.SMALL, epochs=3, batch_size=8, weight_decay=0.1)
# Ten steps an epoch, the last of them with three examples.
EXAMPLES = 75


def items():
    """Random items, clicked if their first code is 0."""
    sids = np.random.default_rng(0).integers(0, cases.CODES, (EXAMPLES, cases.LEVELS))
    inputs = cases.features(sids.tolist(), [[[1, 1]]] * EXAMPLES)
    inputs["label_click"] = tf.constant((sids[:, 0] == 0).astype(np.float32))
    return tf.data.Dataset.from_tensor_slices(inputs)


def shuffled():
    """Batches of the items, of which nobody knows how many there are."""
    # A data set's seed counts together with the global one.
    tf.random.set_seed(0)
    data = items().shuffle(EXAMPLES, seed=0).batch(CONFIG.batch_size)
    return data.filter(lambda batch: True)


def evaluation():
    """Three batches."""
    return items().batch(30)


def failing(data, step):
    """The same, but reading the batch of this step fails; steps count through all epochs."""
    read = tf.Variable(-1, dtype=tf.int64)

    def check(batch):
        with tf.control_dependencies(
            [tf.debugging.assert_less(read.assign_add(1), np.int64(step))]
        ):
            return {name: tf.identity(values) for name, values in batch.items()}

    return data.map(check)


def trained(data, directory=None, config=CONFIG, eval_data=None):
    result = train(
        data,
        cases.representation(),
        ContextSpec(),
        (cases.CLICK,),
        config,
        {"click": LabelMoments()},
        eval_data=eval_data,
        checkpoint_directory=directory,
    )
    (batch,) = items().batch(EXAMPLES)
    return result, result.model(batch)["click"].numpy()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return trained(shuffled(), str(tmp_path_factory.mktemp("checkpoints")), eval_data=evaluation())


# In the middle of the second epoch, in its first step, and after the last step of all, with a
# checkpoint each before or at the last step of the epoch before.
@pytest.mark.parametrize(("failed", "every"), [(17, 4), (10, 5), (None, 10)])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    tmp_path, uninterrupted, failed, every
):
    expected, predictions = uninterrupted
    config = dataclasses.replace(CONFIG, checkpoint_steps=every)
    with pytest.raises(tf.errors.InvalidArgumentError):
        if failed is None:
            trained(shuffled(), str(tmp_path), config, failing(evaluation(), 2 * 3 + 1))
        else:
            trained(failing(shuffled(), failed), str(tmp_path), config, evaluation())
    result, resumed = trained(shuffled(), str(tmp_path), config, evaluation())
    np.testing.assert_allclose(resumed, predictions, rtol=1e-5)
    assert result.loss == pytest.approx(expected.loss, rel=1e-5)
    assert result.examples == expected.examples == EXAMPLES
    assert result.evaluation == pytest.approx(expected.evaluation, rel=1e-5)


def test_checkpoints_change_nothing(uninterrupted):
    expected, predictions = uninterrupted
    result, without = trained(shuffled(), eval_data=evaluation())
    np.testing.assert_array_equal(without, predictions)
    assert result.loss == expected.loss
