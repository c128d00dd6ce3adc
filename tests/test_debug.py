"""``xinfer debug`` against Dify's debugging port, played here."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from peers.debugging import DebuggingServer
from peers.remote import KEY

from xinfer.daemon.relay import explained
from xinfer.testing.server import FakeServer

ROOT = Path(__file__).parent.parent
TIMEOUT = 60.0


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(ROOT / "provider_spec.py", folder)
    shutil.copytree(ROOT / "plugin", folder / "plugin")
    return folder


class Debug:
    """A running ``xinfer debug`` and what it has printed."""

    def __init__(self, home, *options, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "xinfer", "debug", *options],
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
        )
        self.output = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output += line

    def until(self, pattern):
        """Wait until this is printed."""
        for _ in range(int(TIMEOUT / 0.05)):
            if re.search(pattern, self.output):
                return
            time.sleep(0.05)
        raise AssertionError(f"never printed {pattern!r}:\n{self.output}")

    def end(self):
        self.process.terminate()
        code = self.process.wait(20)
        self._reader.join(5)
        self.process.stdout.close()
        return code


@contextmanager
def debugging(home, *options, **environment):
    run = Debug(home, *options, **environment)
    try:
        yield run
    finally:
        run.end()


def at(server):
    return ("--host", "127.0.0.1", "--port", str(server.port), "--key", KEY)


def test_the_plugin_runs_in_dify_and_again_at_a_save(home):
    with (
        DebuggingServer.start() as dify,
        FakeServer() as models,
        debugging(home, *at(dify)) as run,
    ):
        plugin = dify.plugins.get(timeout=TIMEOUT)
        assert plugin.declared.manifest["name"] == "xinference"
        run.until("Connected: Dify lists the plugin as a debugging plugin")
        (answer,) = plugin.call(
            "validate_model_credentials",
            provider="xinference",
            model_type="llm",
            model="chat",
            credentials={"server_url": models.url, "model_uid": "chat"},
        )
        assert answer["result"] is True
        spec = home / "provider_spec.py"
        spec.write_text(spec.read_text().replace('version="0.1.0"', 'version="0.1.1"'))
        again = dify.plugins.get(timeout=TIMEOUT)
        assert again.declared.manifest["version"] == "0.1.1"
        run.until("Changed; starting the plugin again")
        spec.write_text("nonsense\n")
        run.until("NameError")
        assert run.process.poll() is None


def test_the_key_and_the_address_are_read_from_dotenv(home):
    with DebuggingServer.start() as dify:
        url = f"127.0.0.1:{dify.port}"
        (home / ".env").write_text(f"REMOTE_INSTALL_URL={url}\nREMOTE_INSTALL_KEY='{KEY}'\n")
        with debugging(home) as run:
            assert dify.plugins.get(timeout=TIMEOUT).declared.key == KEY
            run.until("Connected")


def refusal(home, dify):
    run = Debug(home, *at(dify), "--once")
    assert run.process.wait(TIMEOUT) == 1
    run.end()
    return run.output


def test_a_refused_key_is_explained(home):
    with DebuggingServer.start(key="another") as dify:
        output = refusal(home, dify)
    assert "Dify refuses the key: copy a new one from Dify's plugin page" in output
    assert dify.plugins.empty()


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (
            "models register failed, invalid models declaration: Key: 'x' Error:max",
            "Dify refuses the provider: Key: 'x' Error:max. Remote debugging validates",
        ),
        (
            "handshake failed, invalid plugin declaration: Version 'v1' failed",
            "Dify refuses the manifest: Version 'v1' failed. Run xinfer check.",
        ),
        ("server is busy now, please try again later", "no debugging connection left"),
        ("something new", "Dify refuses the plugin: something new."),
    ],
)
def test_a_refused_declaration_is_explained(home, words, meaning):
    with DebuggingServer.start(refuse=lambda _: words) as dify:
        assert meaning in refusal(home, dify)


def test_a_web_servers_port_is_recognised(home):
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as web:
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        options = ("--host", "127.0.0.1", "--port", str(web.server_port), "--key", KEY, "--once")
        run = Debug(home, *options)
        assert run.process.wait(TIMEOUT) == 1
        run.end()
        web.shutdown()
        thread.join(5)
    assert explained("HTTP/1.1 400") in run.output


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "127.0.0.1"), "--key is missing"),
        (("--key", KEY), "--host is missing"),
        (
            ("--host", "127.0.0.1", "--key", KEY, "--port", str(_free_port())),
            "Nothing listens on 127.0.0.1",
        ),
        (("--host", "nowhere.invalid", "--key", KEY), "The host nowhere.invalid is unknown"),
    ],
)
def test_what_cannot_be_reached_is_one_sentence(home, options, words):
    run = Debug(home, *options)
    assert run.process.wait(TIMEOUT) == 2
    run.end()
    assert words in run.output
    assert "Traceback" not in run.output


def test_what_remote_debugging_alone_refuses_is_said_before_it_does(home):
    spec = home / "provider_spec.py"
    extra = 'extra_{}: str | None = text_input(label=I18n("E"), default=None)'
    many = "\n    ".join(extra.format(number) for number in range(40))
    text = spec.read_text()
    spec.write_text(text.replace("    model_uid: str", f"    {many}\n    model_uid: str", 1))
    with DebuggingServer.start() as dify, debugging(home, *at(dify)) as run:
        run.until("XI312")


def test_nothing_is_left_running(home):
    with DebuggingServer.start() as dify:
        run = Debug(home, *at(dify))
        run.until("Connected")
        children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text()
        assert children.split()
        run.end()
        assert not any(Path(f"/proc/{child}").exists() for child in children.split())
