"""Bodies of answers, read as they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from xinfer.runtime.openai import fixes
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.framing import Chunks

_PIECE = 64 * 1024
_END_TIMEOUT = 0.1
"""Seconds to wait for the end of a body after its last event; both are sent at once."""


@contextmanager
def reading(response: requests.Response, call: Call) -> Iterator[Iterator[bytes]]:
    """Hand out a body as it arrives, in pieces of at most 64 KiB; close it in the end.

    A body left unread is closed with its connection, unless no more than its end is missing.

    :raises CallError: it breaks off, or nothing comes for too long.
    """
    with response:
        try:
            pieces = _arriving(response.raw)
            yield pieces
            _finish(pieces, response.raw)
        except (ReadTimeoutError, TimeoutError):
            raise call.failed(fixes.SILENT) from None
        except (HTTPError, OSError):
            # requests looks no further than the headers.
            raise call.failed(fixes.BROKE_OFF) from None


def _arriving(raw: Any) -> Iterator[bytes]:
    """Yield what has arrived, all of it at once.

    Servers send each token as a chunk of its own, and urllib3 reads chunk by chunk.
    """
    file = getattr(raw._fp, "fp", None)  # noqa: SLF001 (urllib3 has no other way to it)
    if file is None or "Content-Encoding" in raw.headers:
        yield from raw.stream(_PIECE, decode_content=True)
    elif raw.chunked:
        yield from _of_chunks(raw, file)
    else:
        while arrived := raw._fp.read1(_PIECE):  # noqa: SLF001
            yield arrived
        if raw._fp.length:  # noqa: SLF001
            raise ProtocolError("The body broke off.")
        raw.release_conn()


def _of_chunks(raw: Any, file: Any) -> Iterator[bytes]:
    chunks = Chunks()
    while not chunks.ended:
        arrived = file.read1(_PIECE)
        try:
            piece = chunks.feed(arrived)
        except ValueError as error:
            raise ProtocolError(f"Not a chunked body: {error}.") from error
        if piece:
            yield piece
        if not arrived:
            raise ProtocolError("The body broke off.")
    raw._fp.close()  # noqa: SLF001
    raw.release_conn()


def _finish(pieces: Iterator[bytes], raw: Any) -> None:
    """Read the end of a body whose last event is known, so that its connection can serve again."""
    sock = getattr(raw.connection, "sock", None)
    if sock is None:
        return
    waits = sock.gettimeout()
    sock.settimeout(_END_TIMEOUT)
    try:
        next(pieces, None)
    except (HTTPError, OSError):
        return  # the answer is complete all the same
    finally:
        sock.settimeout(waits)
