"""Bodies of answers, read as they arrive: decompressed, counted, and within a deadline.

Only this module reaches into urllib3 and http.client, whose public ways hand on a stream chunk by
chunk and hold back what is compressed. Where their insides are others, the public ways serve.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import requests
from urllib3.exceptions import DecodeError, ProtocolError

from xinfer.runtime.openai import failures, limits
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.errors import CallError
from xinfer.runtime.openai.framing import Chunks
from xinfer.runtime.openai.sockets import Deadline, deadline_of


class Body:
    """The body of an answer, in pieces of at most 16 KiB; iterate once.

    :param limit: bytes that it may have, after decompression.
    """

    def __init__(self, response: requests.Response, call: Call, limit: int) -> None:
        self._raw, self._call, self._limit = response.raw, call, limit
        self._deadline = deadline_of(response)
        self._pieces = self._counted()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def content(self) -> None:
        """Extend the deadline: what was read holds content."""
        self._deadline.extend()

    def _counted(self) -> Iterator[bytes]:
        size = 0
        for piece in self._decompressed(_arriving(self._raw)):
            size += len(piece)
            if size > self._limit:
                raise self._call.failed(failures.too_large(self._limit))
            yield piece

    def _decompressed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Decompress what was sent compressed, piece by piece, each within bounds."""
        encoding = self._raw.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("", "identity"):
            return pieces
        if encoding in ("gzip", "x-gzip", "deflate"):
            return _inflated(pieces, self._deadline)
        raise self._call.unreadable("an encoding that was not asked for", "未请求的压缩编码")

    def finish(self) -> None:
        """Read the end behind the last event, so that the connection can serve again."""
        if getattr(self._raw, "connection", None) is None:
            return
        self._deadline.start(limits.END)
        try:
            next(self._pieces, None)
        except CallError:
            return  # the answer is complete all the same
        except failures.UNREADABLE:
            return


@contextmanager
def reading(response: requests.Response, call: Call, limit: int) -> Iterator[Body]:
    """Hand out a body and close it in the end.

    A body left unread is closed with its connection, unless no more than its end is missing.

    :raises CallError: it breaks off, is too large, or brings no content for too long.
    """
    with response:
        try:
            body = Body(response, call, limit)
            yield body
            body.finish()
        except CallError:
            raise
        except failures.UNREADABLE as error:
            raise call.raised(error, failures.WHILE_READING) from None


def read(response: requests.Response, call: Call, limit: int) -> bytes:
    """Read a whole body; some of it must arrive before each time-out.

    :raises CallError: it breaks off, is too large, or comes too slowly.
    """
    with reading(response, call, limit) as body:
        pieces: list[bytes] = []
        new = 0
        for piece in body:
            pieces.append(piece)
            new += len(piece)
            if new >= limits.PIECE:
                new = 0
                body.content()
        return b"".join(pieces)


def beginning(response: requests.Response, call: Call) -> bytes:
    """Read the beginning of an error's body; what cannot be read is left out."""
    read = b""
    try:
        with reading(response, call, limits.ERROR + limits.PIECE) as body:
            for piece in body:
                read += piece
                if len(read) >= limits.ERROR:
                    break
    except CallError:
        pass
    return read[: limits.ERROR]


def _arriving(raw: Any) -> Iterator[bytes]:
    """Yield what has arrived, all of it at once."""
    inner: Any = getattr(raw, "_fp", None)
    file: Any = getattr(inner, "fp", None)
    if not hasattr(file, "read1") or not hasattr(inner, "length"):
        yield from _publicly(raw)
    elif raw.chunked:
        yield from _of_chunks(raw, inner, file)
    else:
        while arrived := inner.read1(limits.PIECE):
            yield arrived
        if inner.length:
            raise ProtocolError("The body broke off.")
        raw.release_conn()


def _publicly(raw: Any) -> Iterator[bytes]:
    if raw.chunked or not hasattr(raw, "read1"):
        yield from raw.stream(limits.PIECE, decode_content=False)
        return
    while arrived := raw.read1(limits.PIECE, decode_content=False):
        yield arrived


def _of_chunks(raw: Any, inner: Any, file: Any) -> Iterator[bytes]:
    chunks = Chunks()
    while not chunks.ended:
        arrived = file.read1(limits.PIECE)
        try:
            piece = chunks.feed(arrived)
        except ValueError as error:
            raise ProtocolError(f"Not a chunked body: {error}.") from error
        if piece:
            yield piece
        if not arrived:
            raise ProtocolError("The body broke off.")
    if chunks.rest:
        raw.close()  # what follows would be read as the answer to the next request
        return
    inner.close()
    raw.release_conn()


def _inflated(pieces: Iterator[bytes], deadline: Deadline) -> Iterator[bytes]:
    inflater: Any = None
    try:
        for piece in pieces:
            data, inflated = piece, b""
            while data or len(inflated) == limits.PIECE:
                if inflater is None:
                    inflater = zlib.decompressobj(_window(data))
                inflated = inflater.decompress(data, limits.PIECE)
                data = inflater.unconsumed_tail
                if inflated:
                    deadline.let_go()  # one read may bring a thousand pieces
                    yield inflated
                if inflater.eof:  # gzip may go on with another member
                    data, inflated = inflater.unused_data.lstrip(b"\0"), b""
                    inflater = None
    except zlib.error as error:
        raise DecodeError(str(error)) from error


def _window(data: bytes) -> int:
    """Tell gzip, zlib and bare deflate by their beginning."""
    if data[0] == 0x1F:
        return 16 + zlib.MAX_WBITS
    return zlib.MAX_WBITS if data[0] & 0x0F == 0x08 else -zlib.MAX_WBITS


def json_value(body: bytes, call: Call, *, numbers: bool = False) -> Any:
    """Parse a whole answer.

    :param numbers: most of it may be numbers in digits, which pydantic's reader, where it is
        there, parses three times as fast.
    :raises CallError: it is something else, such as the page of a login.
    """
    try:
        if numbers and _DIGITS.search(body, 0, limits.PIECE):
            return _from_json()(body)
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(body.decode(errors="replace"))
    except (ValueError, RecursionError):
        raise call.unreadable("something that is not JSON", "非 JSON 内容") from None


_DIGITS = re.compile(rb'"embedding"\s*:\s*\[')


@cache
def _from_json() -> Callable[[bytes], Any]:
    try:
        from pydantic_core import from_json
    except ImportError:
        return json.loads
    return from_json
