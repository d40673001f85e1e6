"""The body of an HTTP request, read within limits."""

import asyncio
import zlib

from aiohttp import web

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class RequestBody:
    """Reads bodies, plain or compressed, that are neither too large nor too slow.

    aiohttp's own reader has no time limit, and its older versions inflate a whole piece before they
    count it.

    Args:
        max_bytes: Largest body; of a compressed one, both what comes and what it inflates to.
        seconds: How long a body may take to come.
    """

    def __init__(self, max_bytes: int, seconds: float):
        self._max_bytes = max_bytes
        self._seconds = seconds

    def check_declared(self, request: web.Request) -> None:
        """Refuses a body for what its headers say, before it comes.

        Raises:
            web.HTTPRequestEntityTooLarge: It is too large.
            web.HTTPUnsupportedMediaType: Its encoding is unknown.
        """
        declared = request.content_length or 0
        if declared > self._max_bytes:
            raise self._too_large(declared)
        if _encoding(request) not in ("identity", *_WINDOWS):
            raise web.HTTPUnsupportedMediaType(
                text=f"Content-Encoding {_encoding(request)} is not one of identity, gzip, deflate"
            )

    async def read(self, request: web.Request) -> bytes:
        """Reads the body of a request.

        Raises:
            web.HTTPException: It is too large (413), too slow (408), of an unknown encoding (415),
                or not what its encoding says (400).
            OSError: The connection broke.
        """
        self.check_declared(request)
        try:
            return await asyncio.wait_for(self._read(request), self._seconds)
        except asyncio.TimeoutError as error:
            text = f"the body did not come within {self._seconds:g} seconds"
            raise web.HTTPRequestTimeout(text=text) from error
        except (web.RequestPayloadError, zlib.error) as error:
            raise web.HTTPBadRequest(text=f"the body cannot be read: {error}") from error

    async def _read(self, request: web.Request) -> bytes:
        encoding, received, body = _encoding(request), 0, bytearray()
        inflater = zlib.decompressobj(_WINDOWS[encoding]) if encoding in _WINDOWS else None
        while piece := await request.content.readany():
            received += len(piece)
            if inflater:
                # One byte more than is allowed is all that may come out.
                piece = inflater.decompress(piece, self._max_bytes + 1 - len(body))
            body += piece
            size = max(received, len(body))
            if size > self._max_bytes:
                raise self._too_large(size)
        if inflater and not inflater.eof:
            raise zlib.error("it ends too early")
        if inflater and inflater.unused_data:
            raise zlib.error("bytes follow the end of what is compressed")
        return bytes(body)

    def _too_large(self, size: int) -> web.HTTPRequestEntityTooLarge:
        return web.HTTPRequestEntityTooLarge(
            self._max_bytes, size, text=f"the body is larger than {self._max_bytes} bytes"
        )


def _encoding(request: web.Request) -> str:
    return request.headers.get("Content-Encoding", "identity").strip().lower()
