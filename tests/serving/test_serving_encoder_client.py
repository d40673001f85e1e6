"""EncoderClient against a served encoder."""

import numpy as np
import pytest

from semantic_id_ranking.serving.client import encoder_steps
from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import ServedSpaceError
from semantic_id_ranking.serving.client import SidSpace
from tests.serving.tiny_models import predict_request

EMBEDDINGS = np.array([[1.5, 2.5, 0], [3, 4, 9], [5, 6, 7]], np.float32)


@pytest.fixture
def encoder(server):
    with EncoderClient(server.address) as client:
        yield client


def test_codes(encoder):
    sids = encoder.encode(EMBEDDINGS)
    np.testing.assert_array_equal(sids, [[1, 2], [3, 4], [5, 6]])
    assert sids.dtype == np.int32
    np.testing.assert_array_equal(encoder.encode([[8, 9, 0]]), [[8, 9]])


def test_space(encoder):
    assert encoder.space() == SidSpace(fingerprint="space-a", levels=2, codebook_size=10)


def test_no_rows(encoder):
    assert encoder.encode(np.zeros((0, 3))).shape == (0, 2)


def test_many_rows_go_in_several_requests(encoder, monkeypatch):
    # Half of 52 bytes holds two rows of three floats.
    monkeypatch.setattr(encoder_steps, "MAX_MESSAGE_BYTES", 52)
    sizes = []
    steps = encoder._steps
    predict = steps._predict

    def count(signature, inputs, *rest):
        sizes.extend(len(array) for array in inputs.values())
        return predict(signature, inputs, *rest)

    monkeypatch.setattr(steps, "_predict", count)
    np.testing.assert_array_equal(encoder.encode(EMBEDDINGS), [[1, 2], [3, 4], [5, 6]])
    assert sizes == [2, 1]


def test_more_than_a_message_holds(encoder):
    rows = 64 * 1024 * 1024 // 12 + 1
    sids = encoder.encode(np.broadcast_to(np.float32([1, 2, 3]), (rows, 3)))
    assert sids.shape == (rows, 2)
    np.testing.assert_array_equal(sids[[0, -1]], [[1, 2], [1, 2]])


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        ([1.0, 2.0, 3.0], "embeddings have shape (3,); [N, D] is wanted"),
        (
            [[1.0, 2.0]],
            "embeddings have 2 numbers each; model semantic_id version 7 takes 3",
        ),
        ([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]], "the embedding of row 1 is not finite"),
    ],
)
def test_what_does_not_fit_is_told_before_it_is_sent(encoder, embeddings, message):
    with pytest.raises(ValueError) as caught:
        encoder.encode(embeddings)
    assert str(caught.value) == message


def test_an_encoder_of_another_space_is_refused_by_name(server):
    with (
        EncoderClient(server.address, sid_fingerprint="space-z") as encoder,
        pytest.raises(ServedSpaceError, match=r"semantic_id version 7 .* space-a, .* space-z"),
    ):
        encoder.encode(EMBEDDINGS)


def test_the_official_client_gets_the_same_codes(prediction_service, encoder):
    response = prediction_service.Predict(predict_request("semantic_id", embedding=EMBEDDINGS))
    codes = np.reshape(response.outputs["sid"].int_val, (3, 2))
    np.testing.assert_array_equal(codes, encoder.encode(EMBEDDINGS))
