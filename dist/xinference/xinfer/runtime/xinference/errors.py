"""What can go wrong between us and a Xinference server, in words that name cause and cure."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ProtocolError

from xinfer.spec.secret import REDACTED

_LONGEST = 500


class XinferenceError(Exception):
    """A call failed. ``str`` names the model, the server and what to do about it."""


class ConnectionFailed(XinferenceError):
    """No answer: the server is unreachable, silent for too long, or broke off."""


class ServerUnavailable(XinferenceError):
    """The server answered with an error of its own (5xx), or with something unreadable."""


class RateLimited(XinferenceError):
    """The server has too much to do (429)."""


class NotAuthorized(XinferenceError):
    """The key is missing, wrong, or has no right to this model (401, 403)."""


class Unintelligible(ServerUnavailable):
    """The answer is not Xinference's: another server, or a proxy, gave it."""


class BadRequest(XinferenceError):
    """The server refuses what was asked: an unknown uid, a wrong parameter (400, 404, 422)."""


_KINDS: dict[int, type[XinferenceError]] = {
    401: NotAuthorized,
    403: NotAuthorized,
    408: ConnectionFailed,
    429: RateLimited,
}
"""Which error a status means; one not listed is ours below 500 and the server's from there."""

_CURES: dict[int, str] = {
    401: "Enter a valid API key; a server that asks for none needs none.",
    403: "Give the key the right to use this model, or enter another key.",
    429: "Try again later.",
    503: "The model may still be loading: try again in a moment.",
}


def from_response(response: requests.Response, model: str) -> XinferenceError:
    """Make the error of an answer that is not 2xx."""
    status = response.status_code
    words = _hidden(server_words(response.content, response.reason or ""), response)
    kind = _KINDS.get(status, BadRequest if status < 500 else ServerUnavailable)
    return kind(_sentence(f"answered {status}: {words}", model, response.url, _CURES.get(status)))


def from_answer(what: str, model: str, url: str) -> XinferenceError:
    """Make the error of a 2xx answer that cannot be read; ``what`` completes "answered …"."""
    cure = "Check that the server URL is that of a Xinference server."
    return Unintelligible(_sentence(f"answered {what}", model, url, cure))


def from_event(error: Any, model: str, response: requests.Response) -> XinferenceError:
    """Make the error of an event inside a stream: a string, or an object with a message."""
    words = _hidden(_short(_words_of(error)) or "an error without words", response)
    kind = RateLimited if "rate limit" in words.lower() else ServerUnavailable
    return kind(_sentence(f"broke off the answer: {words}", model, response.url, None))


def from_exception(error: requests.RequestException, model: str, url: str) -> XinferenceError:
    """Make the error of a call that got no answer, or lost it on the way."""
    for kind, what, cure in _LOST:
        if isinstance(error, kind):
            return ConnectionFailed(_sentence(what, model, url, cure))
    if isinstance(error.args[0] if error.args else None, ProtocolError):
        what = "closed the connection without an answer"
        return ConnectionFailed(_sentence(what, model, url, "See what the server's log says."))
    host = urlsplit(url).hostname or ""
    cure = _INSIDE_A_CONTAINER.format(host=host) if host in _LOOPBACK else _OUT_OF_REACH
    return ConnectionFailed(_sentence("cannot be reached", model, url, cure))


_OUT_OF_REACH = "Check the server URL, and that the server runs and can be reached from Dify."
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (compared, not bound)
_INSIDE_A_CONTAINER = (
    "Dify's plugins run in a container, where {host} is the container itself: enter the server's "
    "address in your network, or host.docker.internal."
)
_LOST: tuple[tuple[type[Exception], str, str | None], ...] = (
    (requests.ConnectTimeout, "cannot be reached", _OUT_OF_REACH),
    (
        requests.ReadTimeout,
        "did not answer in time",
        "Raise the timeout, or see whether the model is busy.",
    ),
    (
        requests.exceptions.SSLError,
        "has a certificate that is not trusted",
        "Enter the certificate of its authority, or set REQUESTS_CA_BUNDLE.",
    ),
    (
        requests.exceptions.ProxyError,
        "cannot be reached through the proxy",
        "Check HTTP_PROXY and HTTPS_PROXY; name a server in your network in NO_PROXY.",
    ),
    (requests.exceptions.ChunkedEncodingError, "broke off in the middle of the answer", None),
)
"""Which exception means what, and the cure; the first that fits applies."""


def _sentence(what: str, model: str, url: str, cure: str | None) -> str:
    parts = urlsplit(url)
    server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f"Xinference at {server} {what} (model uid {model!r})." + (f" {cure}" if cure else "")


def server_words(body: bytes, otherwise: str) -> str:
    """Read what the server said: JSON ``detail`` or ``error``, plain text, or HTML's title."""
    text = body.decode(errors="replace").strip()
    try:
        words = _words_of(json.loads(text))
    except ValueError:
        title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        words = title.group(1) if title else re.sub(r"<[^>]*>", " ", text)
    return _short(words or otherwise or "nothing")


def _words_of(answer: Any) -> str:
    match answer:
        case {"msg": str(words), "loc": list(place)}:
            return f"{'.'.join(map(str, place))}: {words}"
        case {"detail": inner} | {"error": inner} | {"message": inner} | {"msg": inner}:
            return _words_of(inner)
        case list():
            return "; ".join(filter(None, map(_words_of, answer)))
        case str():
            # The address and pid of a worker tell a user nothing.
            return re.sub(r"^\[address=[^\]]*\]\s*", "", answer)
        case _:
            return "" if answer is None else json.dumps(answer, ensure_ascii=False)


def _hidden(words: str, response: requests.Response) -> str:
    """Take the key out, should a server or a proxy repeat what it was sent."""
    key = (response.request.headers.get("Authorization") or "").removeprefix("Bearer ")
    return words.replace(key, REDACTED) if key else words


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
