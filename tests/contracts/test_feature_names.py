"""Names of signature inputs: reversible, distinct and accepted by TensorFlow."""

import itertools
import re

import pytest
import tensorflow as tf

from semantic_id_ranking.contracts import feature_names
from semantic_id_ranking.contracts.feature_names import context_column
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.contracts.feature_names import escape
from semantic_id_ranking.contracts.feature_names import unescape

COLUMNS = [
    "tab",
    "Tab",
    "TAB",
    "device.os",
    "device-os",
    "device_os",
    "device os",
    "user-agent",
    "Gerät",
    "2nd",
    "🎬",
    "a\"b'c;--",
    "device_0x2e_os",
    "a__b_",
    "top_1",
    "top",
]


def test_ordinary_names_stay_as_they_are():
    for name in (
        "tab",
        "device_os",
        "2nd",
        "max_x",
        "os_xp",
        "item_age_days",
        "a__b_",
        "_0x",
        "0x41_",
    ):
        assert escape(name) == name
    assert context_feature("device.os") == "context_device_0x2e_os"


def test_every_short_text_has_a_name_of_its_own_and_is_found_again():
    names = set()
    texts = ["".join(t) for n in range(7) for t in itertools.product("_0x2.", repeat=n)]
    for text in texts:
        name = escape(text)
        assert re.fullmatch("[a-z0-9_]*", name)
        assert unescape(name) == text
        names.add(name)
    assert len(names) == len(texts)


@pytest.mark.parametrize("name", ["context__0xffffffff_", "context_a_0xzz_"])
def test_what_is_no_escape_is_left_alone(name):
    assert context_column(name) == name.removeprefix(feature_names.CONTEXT)


def test_tensorflow_serves_all_of_them_side_by_side(tmp_path):
    names = [context_feature(column) for column in COLUMNS]

    @tf.function
    def rank(**inputs):
        return {name: values + 1 for name, values in inputs.items()}

    specs = {name: tf.TensorSpec([None], tf.float32, name) for name in names}
    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path), {"rank": rank.get_concrete_function(**specs)})
    signature = tf.saved_model.load(str(tmp_path)).signatures["rank"]
    assert {context_column(n) for n in signature.structured_input_signature[1]} == set(COLUMNS)
    outputs = signature(**{name: tf.constant([float(i)]) for i, name in enumerate(names)})
    assert [float(outputs[name][0]) for name in names] == [i + 1 for i in range(len(names))]
