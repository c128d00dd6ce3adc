"""What can go wrong between us and a Xinference server, in words that name cause and cure."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import requests

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
    words = server_words(response.content, response.reason or "")
    kind = _KINDS.get(status, BadRequest if status < 500 else ServerUnavailable)
    return kind(_sentence(f"answered {status}: {words}", model, response.url, _CURES.get(status)))


def from_event(error: Any, model: str, url: str) -> XinferenceError:
    """Make the error of an event inside a stream: a string, or an object with a message."""
    words = _words_of(error) or "an error without words"
    kind = RateLimited if "rate limit" in words.lower() else ServerUnavailable
    return kind(_sentence(f"broke off the answer: {_short(words)}", model, url, None))


def from_exception(error: requests.RequestException, model: str, url: str) -> XinferenceError:
    """Make the error of a call that got no answer, or lost it on the way."""
    host = urlsplit(url).hostname or ""
    if isinstance(error, requests.ConnectTimeout | requests.ReadTimeout):
        cure = "Raise the timeout, or see whether the model is busy."
        return ConnectionFailed(_sentence("did not answer in time", model, url, cure))
    if isinstance(error, requests.exceptions.SSLError):
        cure = "Check the certificate; for a private one, set REQUESTS_CA_BUNDLE."
        return ConnectionFailed(_sentence("has a certificate nobody trusts", model, url, cure))
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return ConnectionFailed(
            _sentence("broke off in the middle of the answer", model, url, None)
        )
    cure = "Check the server URL, and that the server runs."
    if host in ("localhost", "127.0.0.1", "::1", "0.0.0.0"):  # noqa: S104 (compared, not bound)
        cure = (
            f"Dify's plugins run in a container, where {host} is the container itself: "
            "enter the server's address in your network, or host.docker.internal."
        )
    return ConnectionFailed(_sentence("cannot be reached", model, url, cure))


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
        case {"detail": inner} | {"error": inner} | {"message": inner} | {"msg": inner}:
            return _words_of(inner)
        case list():
            return "; ".join(filter(None, map(_words_of, answer)))
        case str():
            # The address and pid of a worker tell a user nothing.
            return re.sub(r"^\[address=[^\]]*\]\s*", "", answer)
        case _:
            return "" if answer is None else json.dumps(answer, ensure_ascii=False)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
