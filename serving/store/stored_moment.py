"""The moment whose counters and users a store holds."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class StoredMoment:
    """Of a SID space; written when all items and users of a release are there.

    Attributes:
        as_of: The first instant that the counters do not know of, ISO 8601.
        tasks: The binary tasks that are counted, in the order of the configuration.
        history_tasks: The tasks whose labels the users' records have, in the order of the
            configuration; none where the history is of positives alone.
    """

    as_of: str
    tasks: tuple[str, ...]
    history_tasks: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Its form in a store."""
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> "StoredMoment":
        """Reads what `to_bytes` wrote."""
        content = json.loads(value)
        return cls(content["as_of"], tuple(content["tasks"]), tuple(content["history_tasks"]))
