"""Requests over the standard library's client, and what is read from their answers."""

import http.client
import json
import re
import socket

from xinfer.testing.server.silence import mp3, wav

UPLOADS = {"wav": wav(1), "mp3": mp3(1), "text": b"localhost\n"}


def exchange(server, method, path, body=None, headers=None):
    """Send one request; return status, headers (names in lower case) and body."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        by_name = {name.lower(): value for name, value in response.getheaders()}
        return response.status, by_name, response.read()
    finally:
        connection.close()


def chunks(server, path, body):
    """Return the chunks of a streamed answer, the empty last one not."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), 30) as client:
        client.sendall(head.encode() + content)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, rest = received.partition(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked" in head
    received_chunks = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        chunk, rest = rest[: int(size, 16)], rest[int(size, 16) :]
        assert rest.startswith(b"\r\n")
        received_chunks.append(chunk)
        rest = rest[2:]
    assert received_chunks.pop() == b""
    return received_chunks


def post(server, path, body):
    status, headers, raw = exchange(
        server, "POST", path, json.dumps(body), {"content-type": "application/json"}
    )
    return status, headers, raw


def answered(server, path, body):
    """Return the JSON of an answer that must be 200."""
    status, _, raw = post(server, path, body)
    assert status == 200, raw
    return json.loads(raw)


def ask(text, **more):
    return {"model": "chat", "messages": [{"role": "user", "content": text}], **more}


def events_of(raw):
    return [
        line if line == "[DONE]" else json.loads(line)
        for line in re.findall(r"^data: (.*?)\r?$", raw.decode(), re.MULTILINE)
    ]


def multipart(form):
    body = b""
    for name, value in form.items():
        about, content = "", value
        if isinstance(value, dict):
            about = f'; filename="a.{value["file"]}"\r\nContent-Type: audio/x-test'
            content = UPLOADS[value["file"]]
        content = content if isinstance(content, bytes) else content.encode()
        head = f'--between\r\nContent-Disposition: form-data; name="{name}"{about}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + b"--between--\r\n"


def content(answer):
    return answer["choices"][0]["message"]["content"]


def reasons(answers):
    """Return the finish reasons that answers, or events, give."""
    parsed = [answer for answer in answers if answer != "[DONE]"]
    choices = [choice for answer in parsed for choice in answer.get("choices", ())]
    return [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
