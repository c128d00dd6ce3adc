"""What a call of a model server can fail with."""

from __future__ import annotations

import re
from typing import Self

_UNEXPLAINED = re.compile(
    r"^(internal server error:?\s*)?(something (is|went) wrong)?\.?$"
    r"|check the server logs",
    re.IGNORECASE,
)


class CallError(Exception):
    """A call failed. ``str`` says in English, then in Chinese, what failed and what to do.

    :param english: one line.
    :param chinese: one line that says the same.
    :param words: what the server itself answered, without anything of ours.
    :param has_fix: whether the lines say what to do.
    :param status: of the answer, where there was one that is not 2xx.
    :param too_long: the server says that the input is longer than the model takes.
    """

    def __init__(
        self,
        english: str,
        chinese: str,
        *,
        words: str = "",
        has_fix: bool = True,
        status: int | None = None,
        too_long: bool = False,
    ) -> None:
        self.english, self.chinese = english, chinese
        self.words, self.has_fix, self.status = words, has_fix, status
        self.too_long = too_long
        super().__init__(f"{english}\n{chinese}")

    @property
    def is_unexplained(self) -> bool:
        """Whether the server failed and named no cause."""
        return bool(_UNEXPLAINED.search(self.words)) and not self.has_fix

    def adding(self, english: str, chinese: str) -> Self:
        """Return the same error with more to say."""
        return type(self)(
            f"{self.english} {english}",
            self.chinese + chinese,
            words=self.words,
            status=self.status,
            too_long=self.too_long,
        )


class ConnectionFailed(CallError):
    """No answer: the server cannot be reached, is silent for too long, or breaks off."""


class ServerUnavailable(CallError):
    """The server answers with an error of its own (5xx), or with something unreadable."""


class Unintelligible(ServerUnavailable):
    """The answer is not a model server's: another server, or a proxy, gave it."""


class RateLimited(CallError):
    """The server has too much to do (429)."""


class NotAuthorized(CallError):
    """The key is missing, wrong, or has no right to the model (401, 403)."""


class BadRequest(CallError):
    """The server refuses the request: an unknown model, a wrong parameter (400, 404, 422)."""
