"""What a hostile model server answers: one function per attack."""

import inspect
import json
import time
import zlib
from collections import Counter

BYTES, REQUESTS = Counter(), Counter()
"""How many bytes and requests an attack came to, by its name."""
STREAM = "text/event-stream"
KEEP_ALIVE = ("second_answer", "honest", "told")
"""The paths whose connections stay open for the next request."""


class Connection:
    """One request, and the ways to answer it."""

    def __init__(self, sock, name, route, body):
        self.sock, self.name, self.route, self.body = sock, name, route, body

    def send(self, data):
        self.sock.sendall(data)
        BYTES[self.name] += len(data)

    def head(self, kind="application/json", status="200 OK", **headers):
        lines = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items())
        self.send(f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{lines}\r\n".encode())

    def whole(self, value, **more):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        connection = "keep-alive" if self.name in KEEP_ALIVE else "close"
        self.head(**{"content_length": str(len(data)), "connection": connection, **more})
        self.send(data)

    def event(self, value):
        self.send(b"data: " + json.dumps(value).encode() + b"\n\n")

    def says(self, text, **delta):
        self.event({"choices": [{"index": 0, "delta": {"content": text, **delta}}]})

    def done(self):
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.send(b"data: [DONE]\n\n")


def titles(c):
    c.whole(b"<title>" * 90_000, kind="text/html", status="500 Internal Server Error")


def brackets(c):
    c.whole(b"<" * 600_000, kind="text/html", status="400 Bad Request")


def bomb(c):
    """A gigabyte of blanks, compressed, in any kind of answer."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    kind = "audio/mpeg" if "speech" in c.route else "application/json"
    c.head(kind, content_encoding="gzip", connection="close")
    piece = b" " * (1 << 20)
    c.send(pack.compress(b"{"))
    for _ in range(1024):
        c.send(pack.compress(piece))
    c.send(pack.flush())


def bomb_stream(c):
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    c.head(STREAM, content_encoding="gzip", connection="close")
    for _ in range(1024):
        c.send(pack.compress(b": " + b" " * (1 << 20) + b"\n"))
    c.send(pack.flush())


def bomb_error(c):
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    c.head("text/plain", "500 Internal Server Error", content_encoding="gzip", connection="close")
    for _ in range(1024):
        c.send(pack.compress(b"x" * (1 << 20)))
    c.send(pack.flush())


def endless_line(c):
    c.head(STREAM, connection="close")
    c.send(b"data: ")
    while True:
        c.send(b"x" * 1000)


def comments(c):
    c.head(STREAM, connection="close")
    while True:
        c.send(b": nothing\n\n" * 100)


def empty_events(c):
    c.head(STREAM, connection="close")
    nothing = b'data: {"choices":[{"index":0,"delta":{"content":""}}]}\n\n' * 100
    while True:
        c.send(nothing)


def flood(c):
    """A token after the other, at full speed, and never an end."""
    c.head(STREAM, connection="close")
    token = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n' * 100
    while True:
        c.send(token)


def _slowly(c, pieces):
    for piece in pieces:
        c.send(piece)
        time.sleep(0.05)


def trickled_head(c):
    _slowly(c, [bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nx: " + b"x" * 5000])


def trickled_body(c):
    c.head(content_length="100000")
    _slowly(c, [b" "] * 5000)


def trickled_comments(c):
    c.head(STREAM, connection="close")
    _slowly(c, [b": ping\n\n"] * 5000)


def trickled_line(c):
    c.head(STREAM, connection="close")
    _slowly(c, [b"data: {", *[b" "] * 5000])


def slow_but_honest(c):
    c.head(STREAM, connection="close")
    for _ in range(12):
        c.says("word ")
        time.sleep(0.1)
    c.done()


def surrogates(c):
    """Halves of characters: a pair in two pieces, and one alone at the end."""
    if "transcriptions" in c.route:
        c.whole({"text": "a\ud83d\ude00b\ud83d"})
    elif c.body.get("stream"):
        c.head(STREAM, connection="close")
        c.says("a\ud83d")
        c.says("\ude00b")
        c.says("", tool_calls=[{"index": 0, "id": "\udc00", "function": {"name": "look"}}])
        c.says("", tool_calls=[{"index": 0, "function": {"arguments": '{"a": "\ud83d'}}])
        c.says("", tool_calls=[{"index": 0, "function": {"arguments": '\ude00\ud83d"}'}}])
        c.says("\ud83d")
        c.done()
    else:
        message = {"content": "a\ud83d\ude00b\ud83d", "reasoning_content": "\udc00"}
        c.whole({"choices": [{"message": message, "finish_reason": "st\ud83dop"}]})


def surrogate_error(c):
    c.whole({"detail": "no \ud83d such"}, status="400 Bad Request")


def surrogate_event(c):
    c.head(STREAM, connection="close")
    c.event({"error": "no \ud83d such"})


def bad_utf8(c):
    c.head(STREAM, connection="close")
    c.send(b'data: {"choices":[{"delta":{"content":"a\xff\xfeb"}}]}\n\n')
    c.done()


def large_event(c):
    if c.body.get("stream"):
        c.head(STREAM, connection="close")
        c.says("x" * 6_000_000)
        c.done()
    else:
        c.whole({"choices": [{"message": {"content": "x" * 6_000_000}}]})


def large_call(c):
    c.head(STREAM, connection="close")
    c.says("", tool_calls=[{"index": 0, "id": "i", "function": {"name": "look"}}])
    for _ in range(100):
        c.says("", tool_calls=[{"index": 0, "function": {"arguments": "x" * 100_000}}])
    c.done()


def many_calls(c):
    c.head(STREAM, connection="close")
    for start in range(0, 200_000, 1000):
        calls = [
            {"index": n, "id": f"i{n}", "function": {"name": "look", "arguments": "{}"}}
            for n in range(start, start + 1000)
        ]
        c.says("", tool_calls=calls)
    c.done()


def large_transcript(c):
    c.whole({"text": "x" * 7_900_000})


def honest(c):
    """Answer as a server that means well."""
    if "rerank" in c.route:
        documents = c.body["documents"]
        rows = [
            {"index": n, "relevance_score": 1 - n / 1000, "document": {"text": text}}
            for n, text in enumerate(documents)
        ]
        c.whole({"results": rows})
    elif "transcriptions" in c.route:
        c.whole({"text": "heard"})
    elif c.body.get("stream"):
        c.head(STREAM, connection="close")
        c.says("Hello")
        c.done()
    else:
        c.whole({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]})


def large_type(c):
    c.whole({"id": "m", "model_type": "t" * 1_000_000})


def large_index(c):
    c.whole({"results": [{"index": "x" * 1_000_000, "relevance_score": 1}]})


def large_uids(c):
    if "chat" in c.route:
        c.whole({"detail": "Model not found (cached, retry after 1s)"}, status="404 Not Found")
    else:
        rows = [{"id": f"{n}" + "x" * 300_000, "model_type": "LLM"} for n in range(20)]
        c.whole({"data": rows})


def second_answer(c):
    """An answer and the beginning of one that nobody asked for."""
    number = REQUESTS[c.name]
    body = json.dumps(
        {"choices": [{"message": {"content": f"answer {number}"}, "finish_reason": "stop"}]}
    ).encode()
    size = f"{len(body):x}\r\n".encode()
    stray = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    c.head(transfer_encoding="chunked")
    c.send(size + body + b"\r\n0\r\n\r\n" + stray)


def two_lengths(c):
    c.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}   ")


def many_headers(c):
    c.send(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500 + b"\r\n{}")


def long_header(c):
    c.send(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n{}")


def no_http(c):
    c.send(b"SSH-2.0-OpenSSH_9.6\r\n")


def odd_location(c):
    c.whole(b"", status="302 Found", location="http://[")


def long_location(c):
    c.whole(b"", status="302 Found", location="http://h/" + "x" * 5000)


def other_location(c):
    c.whole(b"", status="302 Found", location="javascript:alert(1)")


def echo(c):
    """Repeat what was sent, in every place and form."""
    from base64 import b64encode
    from urllib.parse import quote

    secret = c.headers.get("authorization", "").removeprefix("Bearer ")
    forms = {
        "plain": f"the key {secret} is unknown",
        "percent": f"see /login?key={quote(secret, safe='')}",
        "base64": b64encode(f"user:{secret}".encode()).decode(),
        "piece": f"begins with {secret[:9]} or ends with {secret[-9:]}",
        "cut": "x" * 480 + secret,
        "late": "x" * 8180 + secret,
    }
    c.whole({"detail": forms[c.route.split("/")[1]]}, status="401 Unauthorized")


def echo_location(c):
    secret = c.headers.get("authorization", "").removeprefix("Bearer ")
    c.whole(b"", status="302 Found", location=f"http://h/{secret}/v1/chat/completions")


def echo_type(c):
    secret = c.headers.get("authorization", "").removeprefix("Bearer ")
    if c.route.endswith("/models"):
        c.whole({"data": [{"id": secret, "model_type": secret}]})
    else:
        c.whole({"id": "m", "model_type": secret})


def unread(c):
    """Refuse a request whose error has no end."""
    c.head("text/plain", "503 Service Unavailable", connection="close")
    while True:
        c.send(b"x" * 65536)


def mp3_without_a_byte(c):
    c.whole(b"", kind="audio/mpeg")


def binary(c):
    c.whole(bytes(range(256)) * 100)


ATTACKS = {
    name: value
    for name, value in globals().items()
    if inspect.isfunction(value) and not name.startswith("_")
}
DESCRIBES_ITSELF = {"echo_type", "large_type", "large_uids", "bomb"}
"""Attacks that also answer for the model's description; the others describe an honest model."""
