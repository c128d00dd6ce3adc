"""Answers that are worked out once, by question, and go with what they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import field, frozen


@frozen(eq=False)
class Memory:
    """The answers so far."""

    answers: dict[object, Any] = field(factory=dict, init=False, repr=False)

    def ask[T](self, question: object, work_out: Callable[[], T], meanwhile: T | None = None) -> T:
        """Return an answer, and work it out the first time.

        :param meanwhile: what the same question gets in answer while it is being worked out.
        """
        if question not in self.answers:
            self.answers[question] = meanwhile
            self.answers[question] = work_out()
        return cast("T", self.answers[question])
