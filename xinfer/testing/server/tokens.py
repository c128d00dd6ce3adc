"""Tokens: text cut as a tokenizer of a language model might, and generation that stops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum

from attrs import evolve, frozen

_TOKEN = re.compile(r"</?(?:think|tool_call)>|\s?[A-Za-z0-9_]+|\s?[^\w\s]|\s?\w|\s")


class Kind(Enum):
    """What a token of an answer is part of."""

    MARK = "mark"
    REASONING = "reasoning"
    TEXT = "text"
    CALL = "call"
    ARGUMENTS = "arguments"


@frozen
class Token:
    """A piece of what a model generates.

    :param call: the position of the tool call it belongs to.
    """

    text: str
    kind: Kind
    call: int = 0


def split(text: str) -> list[str]:
    """Cut a text; the pieces joined are the text."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """Return the number of tokens in a text."""
    return len(split(text))


@frozen(kw_only=True)
class Generated:
    """The result of a model's run.

    :param tokens: also the one that ended it: empty at the end of the answer, and what is left
        of it at a stop string.
    """

    tokens: Sequence[Token]
    finish_reason: str

    @property
    def text(self) -> str:
        """All of it, marks included."""
        return "".join(token.text for token in self.tokens)


def generate(tokens: Iterable[Token], *, limit: int, stop: Sequence[str]) -> Generated:
    """Run until the answer ends, ``limit`` tokens are there, or one of ``stop`` appears."""
    generated: list[Token] = []
    text = ""
    for token in tokens:
        if len(generated) == limit:
            return Generated(tokens=generated, finish_reason="length")
        generated.append(token)
        text += token.text
        ends = [text.find(word) for word in stop if word and word in text]
        if ends:
            return Generated(tokens=_shortened(generated, min(ends)), finish_reason="stop")
    if len(generated) >= limit:
        return Generated(tokens=generated, finish_reason="length")
    return Generated(tokens=[*generated, Token("", Kind.TEXT)], finish_reason="stop")


def _shortened(tokens: Iterable[Token], length: int) -> list[Token]:
    """Cut the text of tokens after some characters; all tokens stay, since all were generated."""
    short = []
    for token in tokens:
        short.append(evolve(token, text=token.text[: max(length, 0)]))
        length -= len(token.text)
    return short
