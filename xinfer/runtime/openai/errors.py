"""What can go wrong between us and a Xinference server, in words that name cause and cure.

The first line is English, and quotes the server; where there is something to do about it, a second
one says so in Chinese.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError

from xinfer.runtime.openai import fixes
from xinfer.spec.secret import REDACTED

_LONGEST = 500
_LONG_WAIT = 120
"""Seconds."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (compared, not bound)


class XinferenceError(Exception):
    """A call failed. ``str`` names the model, the server and what to do about it.

    :param english: a line.
    :param chinese: what to do about it, for those who read it in Chinese.
    :param words: what the server said of it, and nothing of ours.
    """

    def __init__(self, english: str, chinese: str = "", *, words: str = "") -> None:
        self.english, self.chinese, self.words = english, chinese, words
        super().__init__("\n".join(filter(None, (english, chinese))))

    @property
    def cured(self) -> bool:
        """Whether it says what to do about it."""
        return bool(self.chinese)

    def adding(self, english: str, chinese: str = "") -> XinferenceError:
        """Return the same error with more to say."""
        said = f"{self.english} {english}"
        return type(self)(said, self.chinese + chinese, words=self.words)


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


def from_response(response: requests.Response, model: str) -> XinferenceError:
    """Make the error of an answer that is not 2xx."""
    status = response.status_code
    if response.is_redirect:
        return _redirected(response, model)
    words = _hidden(server_words(response.content, response.reason or ""), response)
    kind = _KINDS.get(status, BadRequest if status < 500 else ServerUnavailable)
    minutes = _minutes(response.headers.get("Retry-After", "")) if status == 429 else 0
    cure = fixes.LOCKED_OUT.of(minutes=minutes) if minutes else fixes.OF_STATUS.get(status)
    return _error(kind, f"answered {status}: {words}", model, response.url, cure, words)


def _redirected(response: requests.Response, model: str) -> XinferenceError:
    """Say where the server is: what follows by itself loses the key, or the question."""
    to = urljoin(response.url, response.headers["Location"])
    entered = _shown(to).removesuffix(urlsplit(response.url).path)
    cure = fixes.REDIRECTED.of(url=entered)
    return _error(BadRequest, f"redirects to {_shown(to)}", model, response.url, cure)


def _minutes(retry_after: str) -> int:
    """Return how long a server wants to be left alone; 0 for not long, or not known."""
    seconds = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0
    return -(-seconds // 60) if seconds >= _LONG_WAIT else 0


def from_answer(what: str, model: str, url: str) -> XinferenceError:
    """Make the error of a 2xx answer that cannot be read; ``what`` completes "answered …"."""
    return _error(Unintelligible, f"answered {what}", model, url, fixes.NO_XINFERENCE)


def of_no_xinference(error: XinferenceError) -> XinferenceError:
    """Add to an error of a server that knows nothing of models what it must be."""
    return error.adding(fixes.NO_XINFERENCE.english, fixes.NO_XINFERENCE.chinese)


def from_event(error: Any, model: str, response: requests.Response) -> XinferenceError:
    """Make the error of an event inside a stream: a string, or an object with a message."""
    words = _hidden(_short(_words_of(error)) or "an error without words", response)
    kind = RateLimited if "rate limit" in words.lower() else ServerUnavailable
    return _error(kind, f"broke off the answer: {words}", model, response.url, None, words)


def broken_off(model: str, url: str) -> XinferenceError:
    """Make the error of a body that ends too early."""
    return _lost(fixes.BROKE_OFF, model, url)


def from_exception(error: requests.RequestException, model: str, url: str) -> XinferenceError:
    """Make the error of a call that got no answer, or could not be made."""
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return _error(BadRequest, "cannot be asked", model, url, fixes.NO_NUMBER)
    if isinstance(error, ValueError):  # of the URL, or of a header; what it holds is not repeated
        return _error(BadRequest, "cannot be asked", model, url, fixes.UNSENDABLE)
    for kind, sign, lost in fixes.OF_EXCEPTION:
        if isinstance(error, kind) and sign in str(error):
            return _lost(lost, model, url)
    cause = error.args[0] if error.args else None
    cause = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(cause, ProtocolError):
        return _lost(fixes.CLOSED, model, url)
    if isinstance(cause, NameResolutionError):
        return _lost(fixes.UNKNOWN_HOST, model, url)
    here = urlsplit(url).hostname in _LOOPBACK
    return _lost(fixes.IN_THE_CONTAINER if here else fixes.REFUSED, model, url)


def _lost(lost: fixes.Lost, model: str, url: str) -> XinferenceError:
    parts = urlsplit(url)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    cure = lost.cure and lost.cure.of(host=parts.hostname, port=port)
    return _error(ConnectionFailed, lost.what, model, url, cure)


def _error(
    kind: type[XinferenceError],
    what: str,
    model: str,
    url: str,
    cure: fixes.Cure | None,
    words: str = "",
) -> XinferenceError:
    english = f"Xinference at {_shown(url)} {what} (model uid {model!r})."
    if cure is None:
        return kind(english, words=words)
    return kind(f"{english} {cure.english}", cure.chinese, words=words)


def _shown(url: str) -> str:
    """Return a URL without the user and the query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def server_words(body: bytes, otherwise: str) -> str:
    """Read what the server said: JSON ``detail`` or ``error``, plain text, or HTML's title."""
    text = body.decode(errors="replace").strip()
    try:
        words = _words_of(json.loads(text))
    except (ValueError, RecursionError):
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
