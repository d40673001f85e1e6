"""The JSON body of a REST request, read as TensorFlow Serving's RapidJSON reads it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from semantic_id_ranking.serving.server.status import invalid_argument

_QUOTED_CHARACTERS = 256
_JSON_TYPES = {dict: "Object", list: "Array", str: "String", type(None): "Null"}
_WHITESPACE = re.compile(r"[ \t\n\r]*")


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    return document if len(document) == len(pairs) else dict(reversed(pairs))


_DECODER = json.JSONDecoder(object_pairs_hook=_first_of_each)


def parse_json(body: bytes) -> dict[str, Any]:
    """Reads the body of a request.

    The first of equal keys counts, `Inf` and `NaN` are numbers, and what follows the object is
    passed over.

    Args:
        body: A JSON object in UTF-8, perhaps with `signature_name`.

    Raises:
        StatusError: It is something else.
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        text = body.decode("utf-8-sig")
        if "Inf" in text or "-NaN" in text:
            text = _spell_out(text)
        document, _ = _DECODER.raw_decode(text, _WHITESPACE.match(text).end())  # type: ignore[union-attr]
    except (ValueError, RecursionError) as error:
        raise invalid_argument(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {json_text(document)} Is not object")
    if not isinstance(document.get("signature_name", ""), str):
        raise invalid_argument(
            f"JSON Value: {json_text(document)} not formatted correctly. 'signature_name' key "
            "must be a string value."
        )
    return document


def json_type(value: Any) -> str:
    """The name that messages give a value's type."""
    if isinstance(value, bool):
        return str(value)
    return _JSON_TYPES.get(type(value), "Number")


def json_text(value: Any) -> str:
    """A value as messages quote it: arrays on a line, objects on several, 256 characters at most.

    The limit is that of TensorFlow Serving 2.19; before, a message held the whole body.
    """
    text = ""
    for token in _tokens(value, "\n"):
        text += token[:_QUOTED_CHARACTERS]
        if len(text) >= _QUOTED_CHARACTERS:
            break
    return text[:_QUOTED_CHARACTERS]


def _tokens(value: Any, new_line: str) -> Iterator[str]:
    if isinstance(value, list):
        yield "["
        for index, element in enumerate(value):
            yield ", " if index else ""
            yield from _tokens(element, new_line)
        yield "]"
    elif isinstance(value, dict) and value:
        yield "{"
        indented = f"{new_line}    "
        for index, (key, element) in enumerate(value.items()):
            yield f"{',' if index else ''}{indented}{json.dumps(key, ensure_ascii=False)}: "
            yield from _tokens(element, indented)
        yield f"{new_line}}}"
    elif isinstance(value, str):
        yield json.dumps(value[:_QUOTED_CHARACTERS], ensure_ascii=False)
    else:
        yield json.dumps(value)


def _spell_out(text: str) -> str:
    """Writes the numbers as Python's parser knows them: `Inf` as `Infinity`, `-NaN` as `NaN`."""
    if "\0" in text or "\1" in text:  # No valid JSON, which writes both as escapes.
        return text
    # With the escapes out of the way, every second piece is outside the strings.
    pieces = text.replace("\\\\", "\0").replace('\\"', "\1").split('"')
    pieces[::2] = [
        piece.replace("Infinity", "Inf").replace("Inf", "Infinity").replace("-NaN", "NaN")
        for piece in pieces[::2]
    ]
    return '"'.join(pieces).replace("\1", '\\"').replace("\0", "\\\\")
