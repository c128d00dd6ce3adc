"""A server that sends faster than any client reads: answers made before they are asked for.

It runs in a process of its own and answers in the shapes of Xinference 4.1.0. The uid of the model
says what to do: ``slow`` sends a token every millisecond, ``steady`` one every 33, ``fast`` all of
them at once; ``max_tokens`` says how many. ``flood``, ``trickle`` and ``bomb`` send no answer, but
comments without end, one of them a second, and a gibibyte in gzip. ``digits`` embeds without
Base64, in :data:`WIDE` numbers. ``GET /tally`` counts connections and requests since the last one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import repeat
from typing import ClassVar

import requests
from attrs import field, frozen

PACE = 0.001
"""Seconds between two tokens of the model ``slow``: more than any of the plugins needs for one."""

STEADY = 0.033
"""Seconds between two tokens of the model ``steady``: thirty a second, as a large model writes."""

DIMENSIONS = 768
WIDE = 1024
WORDS = ("Hello", " there", ",", " how", " are", " you", " today", "?", " Fine", " 好的")
"""The tokens of every answer, over and over."""

_DESCRIPTIONS = {
    "LLM": {"model_ability": ["chat", "tools"], "context_length": 4096},
    "embedding": {"model_ability": ["embed"], "dimensions": DIMENSIONS, "max_tokens": 512},
    "rerank": {"model_ability": ["rerank"]},
    "audio": {"model_ability": ["audio2text"]},
}
_TYPES = {"embed": "embedding", "digits": "embedding", "rerank": "rerank", "listen": "audio"}
_COMMENT = b": nothing yet\n\n"
_FLOOD = _COMMENT * 4096


@frozen
class Tally:
    """What reached the server: connections that carried a request, and requests."""

    connections: int
    requests: int


@frozen
class Server:
    """A running server; made by :func:`serving`."""

    url: str
    pid: int
    _session: requests.Session = field(factory=requests.Session)

    def tally(self) -> Tally:
        """Count what came since the last time this was asked."""
        return Tally(**self._session.get(f"{self.url}/tally", timeout=10).json())


@contextmanager
def serving() -> Iterator[Server]:
    """Start the server in a process of its own, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Server(process.stdout.readline().strip(), process.pid)
    finally:
        process.kill()
        process.wait()


def numbers(count: int, seed: int = 0) -> list[float]:
    """Make a vector of numbers that are 32 bits wide, as a real model's are."""
    chance = random.Random(seed)
    wide = [chance.uniform(-0.1, 0.1) for _ in range(count)]
    return list(struct.unpack(f"{count}f", struct.pack(f"{count}f", *wide)))


def _event(delta: dict[str, str], reason: str | None = None, usage: object = None) -> bytes:
    chunk = {
        "id": "chat1ee9f550-1176-4073-8d8f-30105a7d066e",
        "model": "chat",
        "created": 1795327258,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
        "usage": usage,
    }
    return _chunk(b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\r\n\r\n")


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


@cache
def stream(tokens: int) -> tuple[bytes, ...]:
    """Make a streamed answer as it goes over the wire: each event is an HTTP chunk of its own."""
    usage = {"prompt_tokens": 30, "completion_tokens": tokens, "total_tokens": 30 + tokens}
    end = _event({"content": ""}, "stop", usage) + _chunk(b"data: [DONE]\r\n\r\n") + b"0\r\n\r\n"
    words = (WORDS[place % len(WORDS)] for place in range(tokens))
    return (*(_event({"content": word}) for word in words), end)


@cache
def _at_once(tokens: int) -> bytes:
    return _STREAM_HEAD + b"".join(stream(tokens))


@cache
def _bomb() -> bytes:
    """Make a gibibyte of one event's text, as it goes over the wire in gzip.

    A block that is flushed whole stands for itself, so that one can be sent again and again.
    """
    block, times = b"a" * (1 << 20), 1024
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    begin = packer.compress(b"data: ") + packer.flush(zlib.Z_FULL_FLUSH)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    check = zlib.crc32(b"data: ")
    for _ in range(times):
        check = zlib.crc32(block, check)
    end = packer.flush() + struct.pack("<II", check, (6 + (times << 20)) % (1 << 32))
    head = _STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
    gzip = bytes.fromhex("1f8b0800000000000003")
    return head + _chunk(gzip + begin + packed * times + end) + b"0\r\n\r\n"


def _whole(answer: object) -> bytes:
    return _json(json.dumps(answer, separators=(",", ":")).encode())


def _json(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


@cache
def _vector(place: int, dimensions: int) -> bytes:
    return json.dumps(numbers(dimensions, place), separators=(",", ":")).encode()


@cache
def _packed(place: int) -> bytes:
    packed = struct.pack(f"<{DIMENSIONS}f", *numbers(DIMENSIONS, place))
    return b'"%s"' % base64.b64encode(packed)


@cache
def _embeddings(count: int, packed: bool, dimensions: int = DIMENSIONS) -> bytes:
    vectors = (
        _packed(place % 64) if packed else _vector(place % 64, dimensions) for place in range(count)
    )
    rows = b",".join(
        b'{"index":%d,"object":"embedding","embedding":%s}' % (place, vector)
        for place, vector in enumerate(vectors)
    )
    usage = b'{"prompt_tokens":%d,"total_tokens":%d}' % (8 * count, 8 * count)
    return _json(
        b'{"object":"list","model":"embed","model_replica":"embed-rep0","data":[%s],"usage":%s}'
        % (rows, usage)
    )


@cache
def _ranking(count: int) -> bytes:
    results = [
        {"index": place, "relevance_score": score, "document": None}
        for place, score in enumerate(sorted(map(abs, numbers(count)), reverse=True))
    ]
    return _whole({"id": "51869cd6", "results": results, "meta": {"tokens": None}})


@cache
def _description(uid: str) -> bytes:
    kind = _TYPES.get(uid, "LLM")
    return _whole({"model_type": kind, "model_name": uid, "replica": 1, **_DESCRIPTIONS[kind]})


@cache
def _chat(tokens: int) -> bytes:
    message = {"role": "assistant", "content": "".join(WORDS)}
    usage = {"prompt_tokens": 30, "completion_tokens": tokens, "total_tokens": 30 + tokens}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "chat1", "object": "chat.completion", "created": 1, "model": "chat"}
    return _whole({**answer, "choices": [choice], "usage": usage})


class _Steady:
    """Sends the tokens of all steady streams, a timer for each slot instead of one for each stream.

    A timer a stream would take a core of the server at two thousand streams.
    """

    def __init__(self, slots: int) -> None:
        self._slots: list[list[tuple[asyncio.Transport, Iterator[bytes]]]] = [
            [] for _ in range(slots)
        ]
        self._current = 0
        self._begun = False

    def add(self, transport: asyncio.Transport, pieces: Iterable[bytes]) -> None:
        """Send the first piece now, and the others with the slot whose turn it has just been."""
        rest = iter(pieces)
        transport.write(next(rest))
        self._slots[self._current].append((transport, rest))
        if not self._begun:
            self._begun = True
            self._wait(asyncio.get_running_loop().time())

    def _wait(self, sent: float) -> None:
        """Wait for the next slot; one that is late does not send twice to catch up."""
        loop = asyncio.get_running_loop()
        due = max(sent + STEADY / len(self._slots), loop.time())
        loop.call_at(due, self._send, due)

    def _send(self, due: float) -> None:
        self._current = (self._current + 1) % len(self._slots)
        going = []
        for transport, pieces in self._slots[self._current]:
            piece = next(pieces, None)
            if piece is not None and not transport.is_closing():
                transport.write(piece)
                going.append((transport, pieces))
        self._slots[self._current] = going
        self._wait(due)


_STEADY = _Steady(slots=33)


class _Connection(asyncio.Protocol):
    """Answers the requests of one connection, one after the other."""

    count: ClassVar = {"connections": 0, "requests": 0}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._arrived = b""
        self._new = True
        transport.set_write_buffer_limits(high=1 << 30)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        head, ended, rest = self._arrived.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if not ended or len(rest) < length:
            return
        self._arrived = rest[length:]
        path = head.split(b" ", 2)[1].decode()
        if path == "/tally":
            self._transport.write(_whole(self.count))
            self.count.update(connections=0, requests=0)
            return
        self.count["requests"] += 1
        self.count["connections"] += self._new
        self._new = False
        is_json = length and b"application/json" in head
        self._answer(path, json.loads(rest[:length]) if is_json else {})

    def _answer(self, path: str, body: dict[str, object]) -> None:
        write = self._transport.write
        tokens = int(str(body.get("max_tokens") or 200))
        match path, body:
            case "/v1/chat/completions", {"stream": True, "model": "slow"}:
                write(_STREAM_HEAD)
                self._next(iter(stream(tokens)), PACE)
            case "/v1/chat/completions", {"stream": True, "model": "steady"}:
                write(_STREAM_HEAD)
                _STEADY.add(self._transport, stream(tokens))
            case "/v1/chat/completions", {"stream": True, "model": "flood"}:
                write(_STREAM_HEAD)
                self._flood()
            case "/v1/chat/completions", {"stream": True, "model": "trickle"}:
                write(_STREAM_HEAD)
                self._next(repeat(_chunk(_COMMENT)), 1.0)
            case "/v1/chat/completions", {"stream": True, "model": "bomb"}:
                write(_bomb())
            case "/v1/chat/completions", {"stream": True}:
                write(_at_once(tokens))
            case "/v1/chat/completions", _:
                write(_chat(tokens))
            case "/v1/embeddings", _:
                texts = body["input"]
                count = len(texts) if isinstance(texts, list) else 1
                if body["model"] == "digits":
                    write(_embeddings(count, False, WIDE))
                else:
                    write(_embeddings(count, body.get("encoding_format") == "base64"))
            case "/v1/audio/transcriptions", _:
                write(_whole({"text": "Hello"}))
            case "/v1/rerank", {"documents": list(documents)}:
                write(_ranking(len(documents)))
            case "/v1/cluster/auth", _:
                write(_whole({"auth": False}))
            case _:
                write(_description(path.rpartition("/")[2]))

    def _next(self, pieces: Iterator[bytes], pace: float) -> None:
        """Send a piece, and the next one a beat later: never two at once to catch up."""
        piece = next(pieces, None)
        if piece is None or self._transport.is_closing():
            return
        self._transport.write(piece)
        asyncio.get_running_loop().call_later(pace, self._next, pieces, pace)

    def _flood(self) -> None:
        """Send comments as fast as they are taken, until the client has enough."""
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() < len(_FLOOD):
            self._transport.write(_chunk(_FLOOD))
        asyncio.get_running_loop().call_later(0.0005, self._flood)


async def _serve() -> None:
    _bomb()  # before anybody waits for another answer
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    # Whoever started us is gone when its end of the pipe is.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
