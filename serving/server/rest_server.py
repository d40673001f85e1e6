"""The HTTP port: the REST API and the metrics page."""

import asyncio
import json
import logging
import ssl
import threading
from collections.abc import Coroutine
from concurrent import futures
from typing import Any

from aiohttp import web

from semantic_id_ranking.serving.server.limits import AT_ONCE
from semantic_id_ranking.serving.server.limits import Limits
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.monitoring_config import MonitoringConfig
from semantic_id_ranking.serving.server.request_body import RequestBody
from semantic_id_ranking.serving.server.rest_api import RestApi

_log = logging.getLogger(__name__)

# How long a connection may be silent, or take to send the headers of a request.
_KEEPALIVE_SECONDS = 75.0


class RestServer:
    """Runs aiohttp in a thread of its own, and the models in a pool of threads.

    Args:
        api: Answers what comes under `/v1/`.
        metrics: What the metrics page shows.
        monitoring: Whether and where there is such a page.
        limits: How much is taken on at once.
    """

    def __init__(
        self, api: RestApi, metrics: Metrics, monitoring: MonitoringConfig, limits: Limits
    ):
        self._api = api
        self._metrics = metrics
        self._max_concurrent_requests = limits.max_concurrent_requests
        self._in_flight = 0
        self._body = RequestBody(limits.max_body_bytes, limits.body_seconds)
        app = web.Application()
        app.router.add_route(
            "*", "/{v1:[vV]1}/{path:.*}", self._answer, expect_handler=self._expect
        )
        if monitoring.enable:
            app.router.add_get(monitoring.path, self._show_metrics)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=_KEEPALIVE_SECONDS,
        )
        self._pool = futures.ThreadPoolExecutor(AT_ONCE, "rest")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rest", daemon=True)

    def start(self, host: str, port: int, ssl_context: ssl.SSLContext | None = None) -> int:
        """Listens.

        Args:
            host: Address to listen at.
            port: Port to listen at; 0 takes a free one.
            ssl_context: Makes it HTTPS.

        Returns:
            The port.

        Raises:
            OSError: The port is taken.
        """
        self._thread.start()
        try:
            return self._run(self._listen(host, port, ssl_context))
        except OSError:
            self.stop(0)
            raise

    def stop(self, grace: float) -> None:
        """Takes no more requests, waits for those in progress, then stops.

        Args:
            grace: Seconds after which the connections of requests still in progress are closed.
        """
        self._run(self._close(grace))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._pool.shutdown(wait=False)

    def _run(self, coroutine: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _listen(self, host: str, port: int, ssl_context: ssl.SSLContext | None) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=ssl_context).start()
        return self._runner.addresses[0][1]

    async def _close(self, grace: float) -> None:
        for site in list(self._runner.sites):
            await site.stop()
        if self._runner.server is not None:
            await self._runner.server.shutdown(grace)
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        limit = self._max_concurrent_requests
        if limit is not None and self._in_flight >= limit:
            return _json(429, {"error": f"too many requests in progress; the limit is {limit}"})
        self._in_flight += 1
        try:
            body = await self._body.read(request)
            code, value = await self._loop.run_in_executor(
                self._pool, self._api.answer, request.method, request.rel_url.raw_path, body
            )
        except web.HTTPException as error:
            return _json(error.status, {"error": error.text}, close=True)
        except OSError as error:
            _log.warning("%s %s: the upload was aborted: %s", request.method, request.path, error)
            return _json(400, {"error": "the upload was aborted"}, close=True)
        finally:
            self._in_flight -= 1
        return _json(code, value)

    async def _expect(self, request: web.Request) -> web.Response | None:
        """Refuses a body that the client holds back until it is asked for."""
        try:
            self._body.check_declared(request)
        except web.HTTPException as error:
            return _json(error.status, {"error": error.text}, close=True)
        if request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return None

    async def _show_metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.page(), content_type="text/plain")


def _json(status: int, value: Any, close: bool = False) -> web.Response:
    response = web.json_response(value, status=status, dumps=json.dumps)
    if close:
        response.force_close()
    return response
