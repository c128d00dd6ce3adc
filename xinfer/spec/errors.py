"""The errors of values that a credentials class refuses, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from xinfer.spec.i18n import I18n


class Invalid(ValueError):
    """A value is not accepted; the error says why in English and in Chinese.

    Converters and validators of a credentials field raise it, and so does the
    ``__attrs_post_init__`` of a credentials class. A plain ``ValueError`` does too, but its
    English text then stands in the Chinese message as well.

    :param english: completes a line that begins with the field's label: ``must be a number``.
    :param fields: the attributes that do not fit together, for a check of several fields.
    """

    def __init__(
        self, english: str, chinese: str | None = None, *, fields: tuple[str, ...] = ()
    ) -> None:
        self.message = I18n(english, zh_Hans=chinese)
        self.fields = fields
        super().__init__(english)


@frozen
class Problem:
    """What is wrong with one field, or with several together.

    :param fields: variable and label of each; none if a check names no field.
    """

    fields: tuple[tuple[str, I18n], ...]
    message: I18n

    @property
    def variable(self) -> str:
        """The variable of the first field; empty if there is none."""
        return self.fields[0][0] if self.fields else ""

    def lines(self) -> tuple[str, str]:
        """Write the problem in English and in Chinese, each on one line."""
        english = ", ".join(f"{label} ({variable})" for variable, label in self.fields)
        chinese = "".join(f"「{label.chinese}」" for _, label in self.fields)
        return (
            f"{english}: {self.message}" if english else f"{self.message}",
            f"{chinese}：{self.message.chinese}" if chinese else self.message.chinese,
        )


class FormError(ValueError):
    """Credentials were refused: names every wrong field at once, in English and in Chinese.

    No value of a secret field ever appears in it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len({variable for problem in self.problems for variable, _ in problem.fields}) or 1
        english, chinese = zip(*(problem.lines() for problem in self.problems), strict=True)
        lines = [
            f"{count} credential field{'s' if count > 1 else ''} must be corrected:",
            *(f"- {line}" for line in english),
            f"有 {count} 个凭据字段需要更正：",
            *(f"- {line}" for line in chinese),
        ]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


NOT_ACCEPTED = I18n("is not accepted: check it and enter it again", zh_Hans="值无效，请重新填写")
"""The message in place of one that repeats a secret."""


def message_of(error: ValueError) -> I18n:
    """Return the message of an error; a plain ``ValueError`` has English text only."""
    if isinstance(error, Invalid):
        return error.message
    return I18n(str(error), zh_Hans=f"值无效：{error}")


def repeats(message: I18n, secret: str) -> bool:
    """Return whether a message holds part of a secret; short parts are in messages by chance."""
    both = message.en_US + message.chinese
    return any(len(part) > 3 and part in both for part in secret.split())


def quoted(text: str, most: int = 80) -> str:
    """Prepare a text to be quoted on one line: escaped, and at most ``most`` characters."""
    beginning = "".join(map(_escaped, text[:most]))
    return beginning + "…" if len(text) > most else beginning


def _escaped(character: str) -> str:
    printable = character.isprintable() or character == "\u3000"
    return character if printable else ascii(character)[1:-1]
