"""The examples' rankers on items that training never saw."""

import pytest


def test_keras_3():
    from examples import keras3_ranker

    assert keras3_ranker.main() > 0.75


def test_pytorch():
    pytest.importorskip("torch", reason="torch is no dependency; make test-pytorch has it")
    from examples import pytorch_ranker

    assert pytorch_ranker.main() > 0.75
