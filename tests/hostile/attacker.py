"""A model server that means harm, as a process of its own: ``python attacker.py``.

Its port is the first line of its output; it ends when its input does. The first part of a
request's path names the attack, so that a base URL chooses one: ``http://127.0.0.1:PORT/flood``.
``GET /told/flood`` tells how many bytes and requests an attack came to.
"""

import json
import socket
import sys
import threading

from attacks import ATTACKS, BYTES, DESCRIBES_ITSELF, KEEP_ALIVE, REQUESTS, Connection

PORTS = {}
MODEL = {"id": "m", "model_type": "LLM", "model_ability": ["chat", "tools"], "context_length": 9999}


def serve(sock):
    try:
        while answer_request(sock):
            pass
    except OSError:
        return
    finally:
        sock.close()


def answer_request(sock):
    """Read one request and answer it; return whether the connection stays open."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return False
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
    size = int(headers.get("content-length", 0))
    parts, left = [body], size - len(body)
    while left > 0:
        parts.append(sock.recv(1 << 20))
        left -= len(parts[-1])
    body = b"".join(parts)
    method, path, _ = first.split(" ", 2)
    _, name, route = ["", *path.split("/", 2)[1:], ""][:3]
    c = Connection(sock, name, "/" + route, {})
    c.headers = headers
    if name == "told":
        told = {
            "bytes": BYTES[route],
            "requests": REQUESTS[route],
            "ports": len(PORTS.get(route, ())),
        }
        c.whole(told)
        return True
    REQUESTS[name] += 1
    PORTS.setdefault(name, set()).add(sock.getpeername()[1])
    if headers.get("content-type") == "application/json":
        c.body = json.loads(body)
    if method == "GET" and "/models" in path and name not in DESCRIBES_ITSELF:
        c.whole(MODEL, connection="keep-alive")
        return True
    ATTACKS[name](c)
    return name in KEEP_ALIVE


def main():
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(server.getsockname()[1], flush=True)

    def accept():
        while True:
            sock, _ = server.accept()
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
