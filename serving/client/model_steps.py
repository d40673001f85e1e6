"""Steps of a call to a served model."""

import abc
import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Generic
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client import messages
from semantic_id_ranking.serving.client.arguments import require_timeout
from semantic_id_ranking.serving.client.errors import ModelCallError
from semantic_id_ranking.serving.client.errors import ServedSpaceError
from semantic_id_ranking.serving.client.operations import ModelRequest
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.tensor_proto import read_array
from semantic_id_ranking.serving.tensor_proto import write_array

#: Name of a signature -> its `SignatureDef`.
SignatureDefs = Mapping[str, Message]
Interface = TypeVar("Interface")


@dataclasses.dataclass(frozen=True)
class ServedVersion(Generic[Interface]):
    """The interface of the version that is served, as a client caches it.

    Attributes:
        model: Name of the model.
        number: The version.
        space: Its SID space.
        interface: What its signature takes and gives.
    """

    model: str
    number: int
    space: SidSpace
    interface: Interface

    def __str__(self) -> str:
        return f"model {self.model} version {self.number}"


class ModelSteps(abc.ABC, Generic[Interface]):
    """Makes the requests to one model of a model server and reads its responses.

    At its first use it reads what is served: the signature, and the SID space from `info`. An
    answer is taken only from the version that was read; where another version answers, that one is
    read and called again. So no answer comes of a version whose space was not looked at.

    Args:
        model: Name of the model on the server.
        sid_fingerprint: Fingerprint of the space of the user's Semantic IDs; a version of another
            space is refused. If None, the space that is served at the first use.
        timeout: Seconds for a call, retries included.

    Raises:
        ValueError: `timeout` is no finite number above 0.
    """

    #: Refusals that another version might not give.
    codes_of_outdated = frozenset({grpc.StatusCode.INVALID_ARGUMENT})

    def __init__(self, model: str, sid_fingerprint: str | None, timeout: float):
        require_timeout(timeout)
        self.model = model
        self.timeout = timeout
        self._fingerprint = sid_fingerprint
        self._version: ServedVersion[Interface] | None = None
        self._lock = threading.Lock()

    def deadline(self) -> float:
        """The end of a call that begins now, on the clock of `time.monotonic`."""
        return time.monotonic() + self.timeout

    def space(self) -> Steps[SidSpace]:
        """The SID space of the served model.

        Raises:
            ServedSpaceError: It is not the space of the user's Semantic IDs.
            ModelCallError: The server does not answer.
        """
        return (yield from self.served_version(self.require_own_space, self.deadline())).space

    @abc.abstractmethod
    def read_interface(self, signature_defs: SignatureDefs) -> Interface:
        """Reads what the client needs of the model's signatures."""

    def exchanges_sids(self, interface: Interface) -> bool:
        """Whether Semantic IDs pass between user and model, so that the space matters."""
        del interface
        return True

    def require_own_space(self, version: ServedVersion[Interface]) -> None:
        """Refuses a version of another space than that of the user's Semantic IDs.

        Raises:
            ServedSpaceError: It is of another space.
        """
        with self._lock:
            self._fingerprint = self._fingerprint or version.space.fingerprint
        if self._fingerprint != version.space.fingerprint and self.exchanges_sids(
            version.interface
        ):
            raise ServedSpaceError(
                f"{version} lives in SID space {version.space.fingerprint}, but the caller's "
                f"Semantic IDs in {self._fingerprint}; serve a model of that space, or load the "
                "Semantic IDs of the model's"
            )

    def served_version(
        self, require: Callable[[ServedVersion[Interface]], None], deadline: float
    ) -> Steps[ServedVersion[Interface]]:
        """The version that was read last, or, where that one is refused, the one served now.

        Args:
            require: Raises ServedSpaceError to refuse a version.
            deadline: When to give up.
        """
        if self._version:
            try:
                require(self._version)
                return self._version
            except ServedSpaceError:
                pass  # It may be of yesterday.
        version = self._version = yield from self.read_version(deadline)
        require(version)
        return version

    def call(
        self,
        signature: str,
        make_inputs: Callable[[ServedVersion[Interface]], Steps[Mapping[str, NDArray[Any]]]],
        require: Callable[[ServedVersion[Interface]], None],
        deadline: float,
    ) -> Steps[tuple[dict[str, NDArray[Any]], ServedVersion[Interface]]]:
        """Calls a signature of the version that is served.

        Args:
            signature: Its name.
            make_inputs: Makes the inputs for a version.
            require: Raises ServedSpaceError to refuse a version.
            deadline: When to give up.

        Returns:
            The outputs by name, and the version that they are of.
        """
        cached, loaded_again = self._version, set[int]()
        version = yield from self.served_version(require, deadline)
        while True:
            try:
                inputs = yield from make_inputs(version)
                response = yield from self._predict(
                    signature, inputs, deadline, self.number_called(version)
                )
            except (ModelCallError, ValueError) as error:
                # The arguments may fit the version that is served by now: after a rollback, the
                # store has the space again, and other columns are asked for.
                if isinstance(error, ModelCallError):
                    may_be_outdated = error.code in self.codes_of_outdated
                else:
                    may_be_outdated = version is cached  # Any other was read for this call.
                if not may_be_outdated:
                    raise
                refused, version = version, (yield from self.read_again(version, require, deadline))
                if version.number == refused.number:
                    # An encoder that was unloaded may be wanted again, and be loaded by now.
                    was_away = getattr(error, "code", None) == grpc.StatusCode.NOT_FOUND
                    if not was_away or version.number in loaded_again:
                        raise
                    loaded_again.add(version.number)
            else:
                if response.model_spec.version.value == version.number:
                    outputs = response.outputs.items()
                    return {name: read_array(proto) for name, proto in outputs}, version
                version = yield from self.read_again(version, require, deadline)
            require(version)

    def number_called(self, version: ServedVersion[Interface]) -> int | None:
        """The version that a request names; None calls whichever is the newest."""
        del version
        return None

    def read_again(
        self,
        outdated: ServedVersion[Interface],
        require: Callable[[ServedVersion[Interface]], None],
        deadline: float,
    ) -> Steps[ServedVersion[Interface]]:
        """The version to call in place of one that may be of yesterday.

        Args:
            outdated: That one.
            require: Raises ServedSpaceError to refuse a version, which the caller does, too.
            deadline: When to give up.
        """
        del outdated, require
        version = self._version = yield from self.read_version(deadline)
        return version

    def read_version(
        self, deadline: float, asked: int | None = None
    ) -> Steps[ServedVersion[Interface]]:
        """Asks the server for the newest version, or a version by its number.

        Raises:
            ModelCallError: The server does not answer, or has no such version.
        """
        while True:
            info = yield from self._predict("info", {}, deadline, asked)
            metadata = yield from self._metadata(deadline, asked)
            number = info.model_spec.version.value
            if metadata.model_spec.version.value == number:
                break
        packed = metadata.metadata["signature_def"].value
        signature_defs = messages.SignatureDefMap.FromString(packed)
        interface = self.read_interface(signature_defs.signature_def)
        return ServedVersion(self.model, number, _read_space(info), interface)

    def _metadata(self, deadline: float, version: int | None) -> Steps[Message]:
        request = messages.GetModelMetadataRequest(metadata_field=["signature_def"])
        self.set_spec(request.model_spec, version)
        return self.answer("GetModelMetadata", request, deadline)

    def _predict(
        self,
        signature: str,
        inputs: Mapping[str, NDArray[Any]],
        deadline: float,
        version: int | None,
    ) -> Steps[Message]:
        request = messages.PredictRequest()
        for alias, array in inputs.items():
            write_array(array, request.inputs[alias])
        self.set_spec(request.model_spec, version)
        request.model_spec.signature_name = signature
        return self.answer("Predict", request, deadline)

    def set_spec(self, spec: Message, version: int | None = None) -> None:
        """Has a request name the model and, unless it is None, a version."""
        spec.name = self.model
        if version is not None:
            spec.version.value = version

    def answer(self, method: str, request: Message, deadline: float) -> Steps[Any]:
        """Makes a request.

        Raises:
            ModelCallError: The server refuses, or does not answer in time.
        """
        try:
            return (yield ModelRequest(method, request, deadline))
        except grpc.RpcError as error:
            code = error.code()
            # A server that stops says so of requests that it does not take any more.
            if code == grpc.StatusCode.CANCELLED:
                code = grpc.StatusCode.UNAVAILABLE
            raise ModelCallError(self.model, code, error.details()) from error


def _read_space(info: Message) -> SidSpace:
    def value(name: str) -> Any:
        return read_array(info.outputs[name]).item()

    return SidSpace(
        fingerprint=value("fingerprint").decode(),
        levels=value("levels"),
        codebook_size=value("codebook_size"),
    )
