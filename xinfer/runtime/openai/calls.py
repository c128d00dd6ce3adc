"""One call of a server, and its errors: who was asked for what, and what happened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from attrs import field, frozen

from xinfer.runtime.openai import failures, fixes, limits
from xinfer.runtime.openai.errors import (
    BadRequest,
    CallError,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
    Unintelligible,
)
from xinfer.runtime.openai.failures import Failure
from xinfer.runtime.openai.fixes import Case, Text, in_both
from xinfer.runtime.openai.redaction import NOTHING, Secrets
from xinfer.runtime.openai.text import shortened, whole

_LONG_WAIT = 120
"""Seconds."""
_MOST_CAUSES = 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (compared, not bound)
_UNEXPLAINED = Text("answered an error without a word", "返回错误，未作说明")
_BROKEN_OFF = Text("broke off the answer without a word", "中断了回答，未作说明")
_STATUS = re.compile("[45][0-9]{2}")
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
    :param kind: the name of the path in the dialect; empty for questions about models.
    :param cases: what to do, by what the server answers.
    :param secrets: what users must not see should the server repeat it.
    """

    label: Text = field(converter=in_both)
    url: str
    model: str = ""
    kind: str = ""
    cases: tuple[Case, ...] = fixes.CASES
    secrets: Secrets = NOTHING

    def refused(self, response: requests.Response, body: bytes) -> CallError:
        """Make the error of an answer that is not 2xx; ``body`` is its beginning."""
        if response.is_redirect:
            return self._redirected(response.headers["Location"])
        status = response.status_code
        told = server_words(body) or response.reason or ""
        words = self._one_line(told)
        case = self._case(status, told)
        what = Text("answered {status}: {words}{id}", "返回错误 {status}：{words}{id}")
        if not words:
            what = Text("answered {status} without a word{id}", "返回错误 {status}，未作说明{id}")
        return self._error(
            _kind(status),
            what,
            case,
            status=status,
            words=words,
            id=_request_id(self.secrets.hide(response.headers.get("X-Request-Id", ""))),
            later=_later(response.headers.get("Retry-After", "")),
        )

    def _redirected(self, location: str) -> CallError:
        """Make the error of a redirect: following it would lose the key or the request."""
        try:
            target = _without_user(urljoin(self.url, location))
        except ValueError:
            target = ""
        if not target.startswith(("http://", "https://")) or len(target) > limits.NAME:
            return self.failed(failures.REDIRECTED_ELSEWHERE)
        target = self.secrets.hide(whole(target))
        url = target.removesuffix(urlsplit(self.url).path)
        return self.failed(failures.REDIRECTED, location=target, url=url)

    def broke_off_with(self, error: Any) -> CallError:
        """Make the error of an error event: a text, or an object with a message."""
        what = Text("broke off the answer: {words}", "中断了回答：{words}")
        return self._inside(error, what if words_of(error) else _BROKEN_OFF)

    def answered_error(self, error: Any) -> CallError:
        """Make the error of a 2xx answer that is one."""
        what = Text("answered an error: {words}", "返回错误：{words}")
        return self._inside(error, what if words_of(error) else _UNEXPLAINED)

    def _inside(self, error: Any, what: Text) -> CallError:
        told = words_of(error)
        words = self._one_line(told)
        code = str(error.get("code")) if isinstance(error, dict) else ""
        status = int(code) if _STATUS.fullmatch(code) else None
        case = self._case(status, told)
        kind = _kind(status) if status else ServerUnavailable
        kind = RateLimited if "rate limit" in words.lower() else kind
        return self._error(kind, what, case, status=status, words=words, later=fixes.LATER)

    def unreadable(self, english: str, chinese: str) -> CallError:
        """Make the error of a 2xx answer; the texts complete "answered …" and "返回了…"."""
        what = Text("answered {content}", "返回了{content}")
        content = Text(self._one_line(english), self._one_line(chinese))
        return self._error(Unintelligible, what, fixes.CHECK_URL, content=content)

    def failed(self, failure: Failure, **values: Any) -> CallError:
        """Make the error of an answer that does not come, or not whole."""
        host, port = _address(self.url)
        return self._error(failure.error, failure.what, failure.fix, host=host, port=port, **values)

    def raised(
        self, error: BaseException, rows: tuple[failures.Row, ...] = failures.EXCEPTIONS
    ) -> CallError:
        """Make the error of an exception of requests, urllib3, http.client or sockets.

        :param rows: what exceptions mean; one that is in none means that the server cannot be
            reached.
        """
        causes = list(_causes(error))
        for kinds, sign, failure in rows:
            if any(isinstance(cause, kinds) and sign in str(cause) for cause in causes):
                return self.failed(failure)
        here = _address(self.url)[0] in _LOOPBACK
        return self.failed(failures.IN_THE_CONTAINER if here else failures.REFUSED)

    def checking_url(self, error: CallError) -> CallError:
        """Add to an error what to do if the server is another one than meant."""
        fix = fixes.CHECK_URL.format(label=self.label)
        return error.adding(fix.english, fix.chinese)

    def _case(self, status: int | None, told: str) -> Case | None:
        """Find the case that applies; its words may be behind those that the error shows."""
        words = " ".join(whole(told[: limits.COMPARED]).split())
        fitting = (c for c in self.cases if c.fits(status, words, self.kind, self.model))
        return next(fitting, None)

    def _error(
        self,
        kind: type[CallError],
        what: Text,
        to_do: Case | Text | None,
        *,
        words: str = "",
        status: int | None = None,
        **values: Any,
    ) -> CallError:
        url = self._shortened(_without_user(self.url))
        model = self._shortened(self.model)
        about = Text(f" (model {model!r})", f"（模型“{model}”）") if model else Text("", "")
        values |= {"status": status}
        happened = what.format(words=words, **values)
        case = to_do if isinstance(to_do, Case) else None
        fix = to_do.fix if isinstance(to_do, Case) else to_do or Text("", "")
        sentence = Text(
            "{label} at {url} {happened}{about}. {fix}", "{label}（{url}）{happened}{about}。{fix}"
        ).format(
            label=self.label,
            url=url,
            happened=happened,
            about=about,
            fix=fix.format(label=self.label, **values),
        )
        return ((case and case.error) or kind)(
            sentence.english.rstrip(),
            sentence.chinese,
            words=words,
            has_fix=bool(fix.english),
            status=status,
            too_long=case is not None and case.too_long,
        )

    def _one_line(self, words: str) -> str:
        """Write a server's words on one line, without secrets, and shortened."""
        return shortened(self.secrets.hide(" ".join(whole(words).split())), limits.WORDS)

    def _shortened(self, text: str) -> str:
        return shortened(self.secrets.hide(whole(text)), limits.NAME)


def _kind(status: int) -> type[CallError]:
    return _ERRORS.get(status, BadRequest if status < 500 else ServerUnavailable)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that led to it."""
    pending, depth = [error], 0
    while pending and depth < _MOST_CAUSES:
        cause = pending.pop(0)
        if isinstance(cause, BaseException):
            depth += 1
            yield cause
            pending += [*cause.args[:2], getattr(cause, "reason", None)]
            pending += [cause.__cause__, cause.__context__]


def _address(url: str) -> tuple[str, int]:
    """Return the host and port of a URL; the host is empty if the URL is invalid."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError:
        return "", 80


def _request_id(sent: str) -> Text:
    """Name the server's identifier of the request, by which its log can be searched."""
    if not (0 < len(sent) <= limits.NAME and sent.isascii() and sent.isprintable()):
        return Text("", "")
    return Text(f" (request ID {sent})", f"（请求 ID：{sent}）")


def _later(retry_after: str) -> Text:
    """Read for how long a server asks not to be called."""
    seconds = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0
    if seconds < _LONG_WAIT:
        return fixes.LATER
    return fixes.IN_MINUTES.format(minutes=-(-seconds // 60))


def _without_user(url: str) -> str:
    """Return a URL without the user and the query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def server_words(body: bytes) -> str:
    """Read the words of an error: JSON of any server's form, plain text, or HTML's title."""
    text = body.decode(errors="replace").strip()
    try:
        return words_of(json.loads(text))
    except (ValueError, RecursionError):
        return _of_page(text)


def _of_page(text: str) -> str:
    """Return the title of a page, else its text without tags; each step reads on, never back."""
    lower = text.lower()
    start = lower.find("<title>")
    end = lower.find("</title>", start)
    if 0 <= start < end:
        return text[start + len("<title>") : end].strip()
    parts = (part.partition(">") for part in text.split("<")[1:])
    behind = [rest if end else f"<{tag}" for tag, end, rest in parts]
    return " ".join([text.split("<", 1)[0], *behind]).strip()


def words_of(answer: Any) -> str:
    """Find the words in an error of any server's form; empty where there are none."""
    match answer:
        case {"msg": str(words), "loc": list(place)}:
            return f"{'.'.join(map(str, place))}: {words}"
        case {"detail": inner} | {"error": inner} | {"message": inner} | {"msg": inner} if inner:
            return words_of(inner)
        case list():
            return "; ".join(filter(None, map(words_of, answer)))
        case str():
            # The address and process of a worker tell a user nothing.
            return re.sub(r"^\[address=[^\]]*\]\s*", "", answer)
        case _:
            return "" if answer is None else json.dumps(answer, ensure_ascii=False)
