"""A Xinference started for the tests: its process, its models, and with keys its first user."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import requests
from attrs import frozen

from live.place import home, last_words, log, python

_STARTS_WITHIN, _LAUNCHES_WITHIN, _ENDS_WITHIN = 420, 300, 20
"""Seconds."""
_AT_ONCE = 2
"""Models that are launched; most of that is importing libraries."""
_TRANSFORMERS = {"model_engine": "Transformers", "model_size_in_billions": "0_1"}
_LLAMA = {"model_engine": "llama.cpp", "model_size_in_billions": "0_1", "n_ctx": 4096}
_ENCODER = {"model_engine": "sentence_transformers"}

LAUNCHES = {
    "chat": {"model_name": "tiny-chat", "model_type": "LLM", **_TRANSFORMERS},
    "chat-gguf": {"model_name": "tiny-chat-gguf", "model_type": "LLM", **_LLAMA},
    "reason": {
        "model_name": "tiny-reason",
        "model_type": "LLM",
        "reasoning_content": True,
        "enable_thinking": True,
        **_TRANSFORMERS,
    },
    "reason-gguf": {
        "model_name": "tiny-reason-gguf",
        "model_type": "LLM",
        "reasoning_content": True,
        **_LLAMA,
    },
    "base": {"model_name": "tiny-base", "model_type": "LLM", **_TRANSFORMERS},
    "embed": {"model_name": "tiny-embed", "model_type": "embedding", **_ENCODER},
    "rerank": {"model_name": "tiny-rerank", "model_type": "rerank", **_ENCODER},
    "whisper": {"model_name": "tiny-whisper", "model_type": "audio"},
    "kokoro": {
        "model_name": "Kokoro-82M",
        "model_type": "audio",
        "model_engine": "PyTorch",
        "model_path": "{models}/kokoro",
        "lang_code": "e",  # Spanish is spoken by a library that brings its own dictionary
    },
}
"""What to ask the server for, by the uid it will have."""


@frozen(kw_only=True)
class Running:
    """A server that answers.

    :param keys: by what they may do: ``all``, ``chat`` alone; empty without authentication.
    """

    url: str
    keys: dict[str, str]

    def call(self, method, path, body=None, *, key=None, within=60):
        """Talk to the server as its operator does.

        :raises RuntimeError: it refuses.
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            answer = requests.request(
                method, self.url + path, json=body, headers=headers, timeout=within
            )
        except requests.RequestException as error:
            raise RuntimeError(f"{method} {path}: {error}") from None
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


@contextmanager
def running(name, uids, *, with_keys=False):
    """Run a server with some models, and stop it with all of its processes.

    :raises RuntimeError: it does not start, or cannot run a model; the text ends with its log.
    """
    folder = home() / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = _free_port()
    log(name).unlink(missing_ok=True)
    with log(name).open("wb") as file:
        process = subprocess.Popen(
            [python().parent / "xinference-local", "-H", "127.0.0.1", "-p", str(port)],
            cwd=folder,
            env=_environment(folder, with_keys=with_keys),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        server = Running(url=f"http://127.0.0.1:{port}", keys={})
        _wait(server, process, name)
        token = _first_user(server, name) if with_keys else None
        for uid in uids:
            _register(server, uid, token)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda uid: _launch(server, uid, token), uids))
        if with_keys:
            server.keys.update(_keys(server, token))
        yield server
    except RuntimeError as error:
        raise RuntimeError(f"{error}\n{last_words(name)}") from None
    finally:
        _stop(process)


def _environment(folder, *, with_keys):
    return {
        **os.environ,
        "PATH": f"{python().parent}{os.pathsep}{os.environ['PATH']}",
        "XINFERENCE_HOME": str(folder),
        "XINFERENCE_AUTH_ADVANCED": "1" if with_keys else "0",
        # Later versions make these up; 2.12 asks for them.
        "XINFERENCE_AUTH_JWT_SECRET_KEY": secrets.token_hex(32),
        "XINFERENCE_AUTH_ENCRYPTION_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "XINFERENCE_RATE_LIMIT_IP_MAX_FAILURES": "1000000",
        "XINFERENCE_ENABLE_VIRTUAL_ENV": "0",
        "XINFERENCE_MODEL_SRC": "huggingface",
        "XINFERENCE_HUB_DETECT_TIMEOUT": "1",
        # Its own processes take minutes to import on a busy machine.
        "XINFERENCE_HEALTH_CHECK_FAILURE_THRESHOLD": "80",
        "XINFERENCE_SUBPOOL_LAUNCH_TIMEOUT": "300",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_CACHE": str(home() / "models/kokoro/hub"),
        "TRANSFORMERS_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "2",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _wait(server, process, name):
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server {name} ended with {process.returncode}.")
        try:
            requests.get(f"{server.url}/v1/cluster/auth", timeout=2).raise_for_status()
        except requests.RequestException:
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"The server {name} did not answer within {_STARTS_WITHIN} s.")


def _register(server, uid, token):
    """Tell the server what a model is; one that it knows by itself has nothing to tell."""
    folder = home() / "models" / uid
    if not (folder / "registration.json").exists():
        return
    told = json.loads((folder / "registration.json").read_text("utf-8"))
    model = json.dumps(told["model"]).replace("{folder}", str(folder))
    path = f"/v1/model_registrations/{told['kind']}"
    server.call("POST", path, {"model": model, "persist": False}, key=token)


def _launch(server, uid, token):
    asked = {"model_uid": uid, "replica": 1, "n_gpu": None, **LAUNCHES[uid]}
    if "model_path" in asked:
        asked["model_path"] = asked["model_path"].format(models=home() / "models")
    server.call("POST", "/v1/models", asked, key=token, within=_LAUNCHES_WITHIN)


def _first_user(server, name):
    """Make the administrator, with the setup token of the log where there is one; return a token.

    Before 4.0 there is none: whoever comes first is the administrator, or in 2.12 the log names
    the one that there is.
    """
    text = log(name).read_text("utf-8", errors="replace")
    if printed := re.search(r"Username: (\S+)\s+Password: (\S+)", text):
        return _token(server, {"username": printed[1], "password": printed[2]})
    person = {"username": "admin", "password": secrets.token_urlsafe(16)}
    about = text[max(0, text.lower().find("setup token") - 400) :]
    for word in ("", *dict.fromkeys(re.findall(r"[\w-]{20,}", about))):
        leave = {"setup_token": word} if word else {}
        try:
            server.call("POST", "/v1/admin/setup", {**leave, **person})
        except RuntimeError:
            continue
        return _token(server, person)
    raise RuntimeError("The log names no setup token that the server takes.")


def _token(server, person):
    return server.call("POST", "/token", person)["access_token"]


def _keys(server, token):
    only_chat = [{"permission_type": "model_id", "permission_value": "chat"}]
    asked = {"all": {}, "chat": {"model_permissions": only_chat}}
    return {
        name: server.call("POST", "/v1/admin/keys", {"name": name, **rights}, key=token)["key"]
        for name, rights in asked.items()
    }


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def _stop(process):
    """End the server with its workers: they are one group, whose number is its own."""
    for wish in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wish)
        except ProcessLookupError:
            break
        try:
            process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            continue
    process.wait(_ENDS_WITHIN)
