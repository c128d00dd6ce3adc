"""Connections: how many there may be, how long unused, and whose they are."""

import json
import socket
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest
import requests

from xinfer.runtime.openai import Client, Server, limits, sockets
from xinfer.runtime.openai.body import read
from xinfer.runtime.openai.calls import Call
from xinfer.spec import Secret
from xinfer.testing.server import FakeServer, faults

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def server():
    with FakeServer() as started:
        yield started


def client(server, path="/v1", **more):
    return Client(Server(base_url=server.url + path, max_retries=0, **more))


def unused():
    """The connections that wait in pools."""
    return [
        connection
        for pool in list(sockets._reaper.pools)
        for connection in list(pool.pool.queue)
        if connection is not None and connection.sock is not None
    ]


def opened(caplog):
    return len([line for line in caplog.messages if line.startswith(("Starting new", "Resetting"))])


def test_the_system_asks_whether_the_other_end_is_still_there(server):
    client(server).chat("chat", HI, {})
    port = int(server.url.rpartition(":")[2])
    (mine,) = [c for c in unused() if c.port == port]
    assert mine.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert mine.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == limits.KEEPALIVE


def test_a_connection_is_one_keys(server, caplog):
    caplog.set_level("DEBUG", "urllib3")
    for key in ("sk-a", "sk-b", "sk-a", "sk-b"):
        client(server, api_key=Secret(key)).chat("chat", HI, {})
    client(server, headers=(("X-Org", Secret("one")),)).chat("chat", HI, {})
    client(server, headers=(("X-Org", Secret("two")),)).chat("chat", HI, {})
    assert opened(caplog) == 4


def test_a_connection_that_was_unused_for_long_is_not_used_again(server, caplog, monkeypatch):
    caplog.set_level("DEBUG", "urllib3")
    client(server).chat("chat", HI, {})
    client(server).chat("chat", HI, {})
    assert opened(caplog) == 1
    monkeypatch.setattr(limits, "IDLE", 0.0)
    client(server).chat("chat", HI, {})
    assert opened(caplog) == 2


def test_unused_connections_end_and_are_bounded_all_together(server, monkeypatch):
    sockets._reaper.close_unused()
    for number in range(limits.CONNECTIONS + 10):
        client(server, api_key=Secret(f"sk-{number}")).chat("chat", HI, {})
    assert sockets._reaper.close_unused() <= limits.CONNECTIONS
    assert len(unused()) <= limits.CONNECTIONS
    client(server, api_key=Secret("sk-1")).chat("chat", HI, {})
    monkeypatch.setattr(limits, "IDLE", 0.0)
    assert sockets._reaper.close_unused() == 0
    assert unused() == []
    client(server, api_key=Secret("sk-1")).chat("chat", HI, {})


class Public:
    """What urllib3 promises of a response, and nothing that it does not."""

    def __init__(self, raw):
        self.__dict__["raw"] = raw

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.raw, name)


@pytest.mark.parametrize("framing", ["chunked", "until close", "length"])
def test_bodies_are_read_where_urllib3_has_another_inside(server, monkeypatch, framing):
    build = requests.adapters.HTTPAdapter.build_response

    def public(self, request, raw):
        response = build(self, request, raw)
        response.raw = Public(raw)
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "build_response", public)
    if framing == "until close":
        server.next_answer(faults.until_close, on="/v1/chat")
    if framing == "length":
        assert client(server).chat("chat", HI, {}).text
        assert client(server).models()
    else:
        groups = list(client(server).stream_chat("chat", HI, {}))
        assert "".join(chunk.text for group in groups for chunk in group).startswith("Hello!")


def test_what_is_compressed_is_handed_on_as_it_arrives():
    text = [f'data: {{"choices":[{{"delta":{{"content":"{n}"}}}}]}}\n\n' for n in range(5)]
    seen = threading.Event()

    def serve(listening):
        sock, _ = listening.accept()
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n")
        pack = zlib.compressobj(wbits=31)
        sock.sendall(pack.compress(text[0].encode()) + pack.flush(zlib.Z_SYNC_FLUSH))
        seen.wait(10)
        rest = "".join(text[1:]) + "data: [DONE]\n\n"
        sock.sendall(pack.compress(rest.encode()) + pack.flush())
        sock.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        base = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        groups = Client(Server(base_url=base, timeout=5)).stream_chat("m", HI, {})
        assert [chunk.text for chunk in next(groups)] == ["0"]
        seen.set()
        assert "".join(chunk.text for group in groups for chunk in group) == "1234"


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_limit_holds_on_both_its_sides(extra, monkeypatch):
    def serve(listening):
        sock, _ = listening.accept()
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (100_000 + extra))
        sock.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        call = Call(label="it", url=url)
        response = Server(base_url=url).send("GET", call)
        if extra > 0:
            with pytest.raises(Exception, match="answered more than 97 KiB"):
                read(response, call, 100_000)
        else:
            assert len(read(response, call, 100_000)) == 100_000 + extra


def in_a_process(attacker, script):
    """Run a script that has ``url`` in a process of its own; return what it prints as JSON."""
    head = (
        "import sys; sys.path[:0] = ['tests', '.']\n"
        "import io, json, resource, dify_plugin\n"
        "from types import SimpleNamespace\n"
        "from dify_plugin.entities.model.message import UserPromptMessage\n"
        "from dify_plugin.errors.model import InvokeError\n"
        "from under_sdk import *\n"
        f"url = {attacker('x').url.removesuffix('/x')!r}\n"
        "def at(attack): return SimpleNamespace(url=f'{url}/{attack}')\n"
        "def chat(attack, stream=True, **more):\n"
        "    hi = [UserPromptMessage(content='Hi')]\n"
        "    credentials = credentials_for(at(attack), 'm', **more)\n"
        "    return reply_of(LLM([]).invoke('m', credentials, hi, {}, None, None, stream))\n"
        # Not ru_maxrss, which a process inherits from the one that started it.
        "def peak():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) // 1024 for line in lines if 'VmHWM' in line)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", head + script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_no_attack_takes_more_memory_than_the_manifest_asks_for(attacker):
    script = """
base = peak()
for attack in ("bomb", "bomb_stream", "bomb_error", "endless_line", "comments", "large_event",
               "large_call", "many_calls"):
    for stream in (True, False):
        try:
            chat(attack, stream)
        except InvokeError:
            pass
for call in (lambda s: TextEmbedding([]).invoke("m", credentials_for(s, "m"), ["a"]),
             lambda s: Rerank([]).invoke("m", credentials_for(s, "m"), "q", ["a"]),
             lambda s: list(TTS([]).invoke("m", "t", credentials_for(s, "m"), "Hi.", ""))):
    try:
        call(at("bomb"))
    except InvokeError:
        pass
print(json.dumps([base, peak()]))
"""
    base, peak = in_a_process(attacker, script)
    assert peak < 256
    assert peak - base < 160


def test_a_recording_is_held_no_second_time(attacker):
    """The SDK holds it as bytes; what our call adds to that is little."""
    script = """
recording = io.BytesIO(bytes(24_000_000))
Speech2Text([]).invoke("m", credentials_for(at("honest"), "m"), io.BytesIO(b"x"))
base = peak()
for _ in range(3):
    assert Speech2Text([]).invoke("m", credentials_for(at("honest"), "m"), recording) == "heard"
print(json.dumps(peak() - base))
"""
    assert in_a_process(attacker, script) < 5


def test_too_many_open_files_are_told_from_a_server_out_of_reach(attacker):
    script = """
chat("honest")
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(open("/dev/null"))
except OSError:
    pass
try:
    chat("honest", api_key="sk-another", max_retries="0")
except Exception as error:
    text = str(error)
del held
print(json.dumps([text, chat("honest").text]))
"""
    text, after = in_a_process(attacker, script)
    assert "too many files open" in text
    assert "ulimit -n" in text
    assert "ulimit -n" in text.partition("\n")[2]
    assert after == "Hello"
