"""A gRPC server in Python with one fixed answer, which measures the cost of gRPC alone.

`python -m benchmarks.grpc_echo BYTES` answers any method with that many bytes.
"""

import os
import pathlib
import subprocess
import sys
from concurrent import futures

import grpc

_PROJECT = pathlib.Path(__file__).parents[1]


class EchoServer:
    """Such a server in a process of its own, at a free port of this machine; ends with the block.

    Args:
        answer_bytes: Size of an answer.

    Attributes:
        address: host:port.
    """

    address: str

    def __init__(self, answer_bytes: int):
        self._command = [sys.executable, "-m", "benchmarks.grpc_echo", str(answer_bytes)]
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "EchoServer":
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True, cwd=_PROJECT
        )
        self.address = f"127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class _Echo(grpc.GenericRpcHandler):
    def __init__(self, answer: bytes):
        self._answer = answer

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda *_: self._answer)


def main(answer_bytes: int) -> None:
    """Prints the port, then answers until it is ended."""
    # As many threads as `sid serve` has.
    server = grpc.server(futures.ThreadPoolExecutor(4 * (os.cpu_count() or 1)))
    server.add_generic_rpc_handlers([_Echo(bytes(answer_bytes))])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(int(sys.argv[1]))
