"""Prometheus metrics, under the names that TensorFlow Serving gives them."""

import contextlib
import time
from collections.abc import Container
from collections.abc import Iterator

import grpc
import prometheus_client

from semantic_id_ranking.serving.server.status import StatusError

REQUEST_COUNT = ":tensorflow:serving:request_count"
REQUEST_LATENCY = ":tensorflow:serving:request_latency"
RUNTIME_LATENCY = ":tensorflow:serving:runtime_latency"
EXAMPLE_COUNTS = ":tensorflow:serving:request_example_counts"
EXAMPLE_COUNT_TOTAL = ":tensorflow:serving:request_example_count_total"
# The runtime that TensorFlow Serving names where it runs a session, as this server does.
_RUNTIME = "TF1"
_EXAMPLE_BUCKETS = tuple(2.0**exponent for exponent in range(15))
# Of TensorFlow Serving's `util.cc`: 10 microseconds to about 20 minutes, each bucket 1.8 times the
# one before it.
_MICROSECOND_BUCKETS = tuple(float(f"{10 * 1.8**exponent:.6g}") for exponent in range(33))


class Metrics:
    """Counts the requests of one server and how long they took.

    Args:
        models: Names of the models that are configured. Requests for others are counted under the
            empty name: a caller's inventions must not fill the memory.
    """

    def __init__(self, models: Container[str]):
        self._models = models
        self._registry = prometheus_client.CollectorRegistry()
        self._count = prometheus_client.Counter(
            REQUEST_COUNT,
            "The total number of requests.",
            ("model_name", "status"),
            registry=self._registry,
        )
        self._latency = prometheus_client.Histogram(
            REQUEST_LATENCY,
            "Distribution of wall time (in microseconds) for requests that were answered.",
            ("model_name", "API", "entrypoint"),
            buckets=_MICROSECOND_BUCKETS,
            registry=self._registry,
        )

        self._runtime = prometheus_client.Histogram(
            RUNTIME_LATENCY,
            "Distribution of wall time (in microseconds) for TensorFlow's part of a request.",
            ("model_name", "API", "runtime"),
            buckets=_MICROSECOND_BUCKETS,
            registry=self._registry,
        )
        self._examples = prometheus_client.Histogram(
            EXAMPLE_COUNTS,
            "The number of tf.Examples per request.",
            ("model",),
            buckets=_EXAMPLE_BUCKETS,
            registry=self._registry,
        )
        self._example_total = prometheus_client.Counter(
            EXAMPLE_COUNT_TOTAL,
            "The total number of tf.Examples.",
            ("model",),
            registry=self._registry,
        )

    @contextlib.contextmanager
    def observe(self, model: str, api: str, entrypoint: str) -> Iterator[None]:
        """Counts a request, and times it if it is answered.

        Args:
            model: Name of the model asked for.
            api: Such as `Predict`.
            entrypoint: `GRPC` or `REST`.
        """
        model = model if model in self._models else ""
        start = time.perf_counter()
        try:
            yield
        except StatusError as error:
            self._count.labels(model, error.code.name).inc()
            raise
        except Exception:
            self._count.labels(model, grpc.StatusCode.UNKNOWN.name).inc()
            raise
        self._count.labels(model, grpc.StatusCode.OK.name).inc()
        self._latency.labels(model, api, entrypoint).observe(1e6 * (time.perf_counter() - start))

    @contextlib.contextmanager
    def time_runtime(self, model: str, api: str) -> Iterator[None]:
        """Times the operations of a request, if they succeed.

        Args:
            model: Name of the model that runs.
            api: Such as `Predict`.
        """
        start = time.perf_counter()
        yield
        microseconds = 1e6 * (time.perf_counter() - start)
        self._runtime.labels(model, api, _RUNTIME).observe(microseconds)

    def count_examples(self, model: str, examples: int) -> None:
        """Counts the tf.Examples of a request that ran.

        Args:
            model: Name of the model that ran.
            examples: How many it was given.
        """
        self._examples.labels(model).observe(examples)
        self._example_total.labels(model).inc(examples)

    def page(self) -> bytes:
        """Writes the metrics in Prometheus's text format."""
        text = prometheus_client.generate_latest(self._registry)
        # The library would have every counter end in `_total`; TensorFlow Serving's does not.
        return text.replace(f"{REQUEST_COUNT}_total".encode(), REQUEST_COUNT.encode())
