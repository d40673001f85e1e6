"""Channel arguments of the server, as text."""

import pytest

from semantic_id_ranking.serving.server.channel_arguments import parse_channel_arguments


def test_whole_numbers_are_numbers_and_the_rest_is_text():
    text = "grpc.max_connection_age_ms=2000,grpc.lb_policy_name=grpclb,a=1=2"
    assert parse_channel_arguments(text) == [
        ("grpc.max_connection_age_ms", 2000),
        ("grpc.lb_policy_name", "grpclb"),
        ("a", "1=2"),
    ]


@pytest.mark.parametrize("text", ["a", "=1", "a=1,", ""])
def test_what_is_no_pair_is_refused(text):
    with pytest.raises(ValueError, match="is no key=value"):
        parse_channel_arguments(text)
