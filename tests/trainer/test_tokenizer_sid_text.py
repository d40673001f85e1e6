import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.tokenizer.sid_text import code_points
from semantic_id_ranking.trainer.tokenizer.sid_text import require_encodable
from semantic_id_ranking.trainer.tokenizer.sid_text import sids_to_text
from semantic_id_ranking.trainer.tokenizer.sid_text import text_to_codes


def test_a_code_is_one_private_character_of_its_level():
    # K = 4: level 0 takes U+F0000 .. U+F0003, level 1 takes U+F0004 .. U+F0007, and so on.
    texts = sids_to_text(np.array([[1, 0, 3], [3, 3, 0]]), codebook_size=4)
    assert texts == ["\U000f0001\U000f0004\U000f000b", "\U000f0003\U000f0007\U000f0008"]


def test_text_reads_back():
    rng = np.random.default_rng(0)
    sids = rng.integers(0, 2048, (50, 8))
    for sid, text in zip(sids, sids_to_text(sids, 2048), strict=True):
        assert text_to_codes(text, 2048) == tuple(enumerate(sid))


def test_no_sid_gives_no_text():
    assert sids_to_text(np.zeros((0, 4), np.int64), 4) == []


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_tensorflow_gives_the_same_characters(dtype):
    points = code_points(tf.constant([[1, 0, 3]], dtype), levels=3, codebook_size=4)
    assert points.dtype == dtype
    assert points.numpy().tolist() == [[0xF0001, 0xF0004, 0xF000B]]


@pytest.mark.parametrize("bad", [-1, 4])
def test_a_code_out_of_range_is_named(bad):
    with pytest.raises(ValueError, match=rf"code {bad} in row 1, level 2 is not in 0 .. 3"):
        sids_to_text(np.array([[0, 0, 0], [0, 0, bad]]), 4)


def test_a_flat_array_is_refused():
    with pytest.raises(ValueError, match=r"\[3\]"):
        sids_to_text(np.array([1, 2, 3]), 4)


def test_a_character_that_is_no_code_is_refused():
    with pytest.raises(ValueError, match=r"U\+0061"):
        text_to_codes("\U000f0001a", 4)


def test_more_codes_than_characters_are_refused():
    require_encodable(2, 32767)
    with pytest.raises(ValueError, match="16 x 4096 is 65536 codes"):
        require_encodable(16, 4096)
