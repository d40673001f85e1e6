"""What the clients of both models share."""

import abc
import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Generic
from typing import TypeVar

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.client.channel import open_channel
from serving.client.errors import ModelCallError
from serving.client.errors import SidSpaceMismatchError
from serving.client.served_space import ServedSpace
from serving.tensor_proto import write_array

SignatureDefs = Mapping[str, meta_graph_pb2.SignatureDef]
Interface = TypeVar("Interface")


@dataclasses.dataclass(frozen=True)
class ServedVersion(Generic[Interface]):
    """What a client knows of the version that is served.

    Attributes:
        number: The version.
        space: Its SID space.
        interface: What its signature takes and gives.
    """

    number: int
    space: ServedSpace
    interface: Interface


class ModelClient(abc.ABC, Generic[Interface]):
    """Calls one model of a model server.

    At its first use it reads what is served: the signature, and the SID space from `info`. An
    answer is taken only from the version that was read; where another version answers, the client
    reads that one and calls again. So no answer comes of a version whose space was not looked at.
    Threads may share a client.

    Args:
        server: host:port, or a channel opened with `open_channel`, to share it.
        model: Name of the model on the server.
        sid_fingerprint: Fingerprint of the space of the caller's Semantic IDs; a version of another
            space is refused. If None, the space that is served at the first use.
        timeout: Seconds for a call, retries included.
    """

    def __init__(
        self,
        server: str | grpc.Channel,
        model: str,
        sid_fingerprint: str | None = None,
        timeout: float = 5.0,
    ):
        self.model = model
        self._timeout = timeout
        self._own_channel = open_channel(server) if isinstance(server, str) else None
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._own_channel or server)
        self._fingerprint = sid_fingerprint
        self._version: ServedVersion[Interface] | None = None
        self._lock = threading.Lock()

    @property
    def space(self) -> ServedSpace:
        """The SID space of the served model; the first use asks the server.

        Raises:
            SidSpaceMismatchError: It is not the space of the caller's Semantic IDs.
            ModelCallError: The server does not answer.
        """
        return self._known_version(self._deadline()).space

    def close(self) -> None:
        """Closes the channel, if this client opened it."""
        if self._own_channel:
            self._own_channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @abc.abstractmethod
    def _read_interface(self, signature_defs: SignatureDefs) -> Interface:
        """Reads what the client needs of the model's signatures."""

    def _exchanges_sids(self, interface: Interface) -> bool:
        """Whether Semantic IDs pass between caller and model, so that the space matters."""
        del interface
        return True

    def _call(
        self,
        signature: str,
        make_inputs: Callable[[ServedVersion[Interface]], Mapping[str, np.ndarray]],
    ) -> dict[str, np.ndarray]:
        """Calls a signature of the version that is served.

        Args:
            signature: Its name.
            make_inputs: Makes the inputs for a version.

        Returns:
            The outputs by name.
        """
        deadline = self._deadline()
        version = self._known_version(deadline)
        while True:
            try:
                response = self._predict(signature, make_inputs(version), deadline)
            except ModelCallError as error:
                # A version that has come since may want other inputs.
                if error.code != grpc.StatusCode.INVALID_ARGUMENT:
                    raise
                refused, version = version, self._read_version(deadline)
                if version.number == refused.number:
                    raise
                continue
            if response.model_spec.version.value == version.number:
                return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
            version = self._read_version(deadline)

    def _known_version(self, deadline: float) -> ServedVersion[Interface]:
        return self._version or self._read_version(deadline)

    def _read_version(self, deadline: float) -> ServedVersion[Interface]:
        while True:
            info = self._predict("info", {}, deadline)
            metadata = self._metadata(deadline)
            number = info.model_spec.version.value
            if metadata.model_spec.version.value == number:
                break
        signature_defs = get_model_metadata_pb2.SignatureDefMap()
        metadata.metadata["signature_def"].Unpack(signature_defs)
        interface = self._read_interface(signature_defs.signature_def)
        version = ServedVersion(number, _read_space(info), interface)
        with self._lock:
            self._fingerprint = self._fingerprint or version.space.fingerprint
            if self._fingerprint != version.space.fingerprint and self._exchanges_sids(interface):
                raise SidSpaceMismatchError(
                    f"model {self.model} version {number} lives in SID space "
                    f"{version.space.fingerprint}, but the caller's Semantic IDs in "
                    f"{self._fingerprint}; serve a model of that space, or load the Semantic IDs "
                    "of the model's"
                )
            self._version = version
        return version

    def _metadata(self, deadline: float) -> get_model_metadata_pb2.GetModelMetadataResponse:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self.model
        return self._answer(self._stub.GetModelMetadata, request, deadline)

    def _predict(
        self,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        deadline: float,
    ) -> predict_pb2.PredictResponse:
        request = predict_pb2.PredictRequest()
        for alias, array in inputs.items():
            write_array(array, request.inputs[alias])
        request.model_spec.name = self.model
        request.model_spec.signature_name = signature
        return self._answer(self._stub.Predict, request, deadline)

    def _answer(self, method: grpc.UnaryUnaryMultiCallable, request, deadline: float):
        try:
            return method(request, timeout=deadline - time.monotonic())
        except grpc.RpcError as error:
            raise ModelCallError(self.model, error.code(), error.details()) from error

    def _deadline(self) -> float:
        return time.monotonic() + self._timeout


def _read_space(info: predict_pb2.PredictResponse) -> ServedSpace:
    def value(name: str):
        return tf.make_ndarray(info.outputs[name]).item()

    return ServedSpace(
        fingerprint=value("fingerprint").decode(),
        levels=value("levels"),
        codebook_size=value("codebook_size"),
    )
