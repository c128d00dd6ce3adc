"""One call of a server, and its errors in words: who was asked for what, and what came of it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from attrs import frozen
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError

from xinfer.runtime.openai import fixes
from xinfer.runtime.openai.errors import (
    BadRequest,
    CallError,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
    Unintelligible,
)
from xinfer.runtime.openai.fixes import Case, Failure, Text
from xinfer.spec.secret import REDACTED

_LONGEST_WORDS = 500
"""Characters of a server's own words in an error."""
_LONG_WAIT = 120
"""Seconds."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (compared, not bound)
_ERRORS: dict[int, type[CallError]] = {
    401: NotAuthorized,
    403: NotAuthorized,
    408: ConnectionFailed,
    429: RateLimited,
}
"""Which error a status means; any other is ours below 500 and the server's from there."""


@frozen(kw_only=True)
class Call:
    """What the errors of a call name.

    :param label: what users know the server by.
    :param model: empty where no model is meant.
    :param cases: what to do, by what the server answers.
    :param secrets: what the server must not show to users should it repeat it.
    """

    label: str
    url: str
    model: str = ""
    cases: tuple[Case, ...] = fixes.CASES
    secrets: tuple[str, ...] = ()

    def refused(self, response: requests.Response) -> CallError:
        """Make the error of an answer that is not 2xx."""
        if response.is_redirect:
            return self._redirected(response.headers["Location"])
        status = response.status_code
        words = self._hide(server_words(response.content, response.reason or ""))
        error = _ERRORS.get(status, BadRequest if status < 500 else ServerUnavailable)
        case = self._case(status, words)
        what = Text("answered {status}: {words}", "返回错误 {status}：{words}")
        return self._error(
            (case and case.error) or error,
            what,
            case.fix if case else None,
            status=status,
            words=words,
            later=_later(response.headers.get("Retry-After", "")),
        )

    def _redirected(self, location: str) -> CallError:
        """Tell where the server is: following by itself loses the key, or the request."""
        target = urljoin(self.url, location)
        url = _without_user(target).removesuffix(urlsplit(self.url).path)
        failure = fixes.REDIRECTED
        return self._error(
            BadRequest, failure.what, failure.fix, location=_without_user(target), url=url
        )

    def broke_off_with(self, error: Any) -> CallError:
        """Make the error of an error inside a stream: a text, or an object with a message."""
        words = self._hide(_short(_words_of(error)) or "an error without words")
        case = self._case(None, words)
        kind = RateLimited if "rate limit" in words.lower() else ServerUnavailable
        what = Text("broke off the answer: {words}", "中断了回答：{words}")
        return self._error(
            (case and case.error) or kind, what, case.fix if case else None, words=words
        )

    def unreadable(self, english: str, chinese: str) -> CallError:
        """Make the error of a 2xx answer; the texts complete "answered …" and "返回了…"."""
        what = Text("answered {english}", "返回了{chinese}")
        return self._error(Unintelligible, what, fixes.CHECK_URL, english=english, chinese=chinese)

    def failed(self, failure: Failure) -> CallError:
        """Make the error of an answer that does not come, or not whole."""
        parts = urlsplit(self.url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        kind = BadRequest if failure.what is fixes.UNSENDABLE.what else ConnectionFailed
        return self._error(kind, failure.what, failure.fix, host=parts.hostname, port=port)

    def raised(self, error: requests.RequestException) -> CallError:
        """Make the error of a request that could not be made, or got no answer."""
        if isinstance(error, requests.exceptions.InvalidJSONError):
            return self.failed(fixes.NOT_A_NUMBER)
        if isinstance(error, ValueError):  # of the URL, or of a header; what it holds is no help
            return self.failed(fixes.UNSENDABLE)
        for kind, sign, failure in fixes.EXCEPTIONS:
            if isinstance(error, kind) and sign in str(error):
                return self.failed(failure)
        cause = error.args[0] if error.args else None
        cause = cause.reason if isinstance(cause, MaxRetryError) else cause
        if isinstance(cause, ProtocolError):
            return self.failed(fixes.CLOSED)
        if isinstance(cause, NameResolutionError):
            return self.failed(fixes.UNKNOWN_HOST)
        here = urlsplit(self.url).hostname in _LOOPBACK
        return self.failed(fixes.IN_THE_CONTAINER if here else fixes.REFUSED)

    def checking_url(self, error: CallError) -> CallError:
        """Add to an error what to do if the server is another one than meant."""
        fix = fixes.CHECK_URL.format(label=self.label)
        return error.adding(fix.english, fix.chinese)

    def _case(self, status: int | None, words: str) -> Case | None:
        return next((case for case in self.cases if case.fits(status, words)), None)

    def _error(
        self,
        kind: type[CallError],
        what: Text,
        fix: Text | None,
        *,
        words: str = "",
        status: int | None = None,
        **values: object,
    ) -> CallError:
        url, label = _without_user(self.url), self.label
        about = Text(f" (model {self.model!r})", f"（模型“{self.model}”）")
        about = about if self.model else Text("", "")
        values |= {"status": status}
        happened = what.format(words=words, **values)
        to_do = (fix or Text("", "")).format(label=label, **values)
        english = f"{label} at {url} {happened.english}{about.english}. {to_do.english}".rstrip()
        chinese = f"{label}（{url}）{happened.chinese}{about.chinese}。{to_do.chinese}"
        return kind(english, chinese, words=words, has_fix=fix is not None, status=status)

    def _hide(self, words: str) -> str:
        for secret in self.secrets:
            words = words.replace(secret, REDACTED)
        return words


def _later(retry_after: str) -> Text:
    """Read how long a server wants to be left alone."""
    seconds = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0
    if seconds < _LONG_WAIT:
        return fixes.LATER
    return fixes.IN_MINUTES.format(minutes=-(-seconds // 60))


def _without_user(url: str) -> str:
    """Return a URL without the user and the query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def server_words(body: bytes, otherwise: str) -> str:
    """Read the words of an error: JSON of any server's form, plain text, or HTML's title."""
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
            # The address and process of a worker tell a user nothing.
            return re.sub(r"^\[address=[^\]]*\]\s*", "", answer)
        case _:
            return "" if answer is None else json.dumps(answer, ensure_ascii=False)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"
