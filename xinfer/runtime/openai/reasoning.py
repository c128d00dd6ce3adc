"""Separates thoughts from the answer where a server mixes them up."""

from __future__ import annotations

import re

import attrs
from attrs import define, field

from xinfer.runtime.openai import limits
from xinfer.runtime.openai.answers import ChatChunk

_OPEN, _CLOSE = "<think>", "</think>"
_LATE_CLOSE = re.compile(r"(?<!`)</think>(?=\s|$)")


@define
class Reasoning:
    """Moves each part of a stream to where it belongs.

    llama.cpp sends thoughts in deltas without a ``content`` key. Servers in front of it that parse
    reasoning then move the text that follows under ``reasoning_content`` too, and leave a
    ``content: null`` beside it. Other engines write that ``null`` from the first thought on.
    Servers that do not parse reasoning leave the thoughts in the text, between tags.

    :param switched_off: the model was asked not to think; some servers then move the whole answer
        under ``reasoning_content``.
    :param always: the model always thinks, so that a text that begins without a tag begins inside
        a thought: its chat template wrote the tag.
    """

    _switched_off: bool = False
    _always: bool = False
    _unmarked: bool = field(default=False, init=False)
    _thought: bool = field(default=False, init=False)
    """Whether a thought came under a key of its own."""
    _tags: _Tags | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tags = _Tags()

    def sort(self, chunk: ChatChunk) -> ChatChunk:
        """Return a piece of a stream as it was meant."""
        if chunk.reasoning:
            chunk = self._moved(chunk)
        if chunk.text and self._tags is not None:
            reasoning, text = self._tags.feed(chunk.text, inside=self._always and not self._thought)
            if self._tags.done:
                self._tags = None
            chunk = attrs.evolve(chunk, text=text, reasoning=chunk.reasoning + reasoning)
        return chunk

    def close(self) -> ChatChunk | None:
        """Return what was held back of the text."""
        reasoning, text = self._tags.close() if self._tags else ("", "")
        return ChatChunk(text=text, reasoning=reasoning) if reasoning or text else None

    def _moved(self, chunk: ChatChunk) -> ChatChunk:
        reasoning = chunk.reasoning
        if not self._thought:
            # Some servers leave the tag in front of what they parsed.
            reasoning = reasoning.lstrip().removeprefix(_OPEN)
        self._thought = True
        if chunk.unmarked:
            self._unmarked = True
        elif (self._unmarked or self._switched_off) and not chunk.text:
            return attrs.evolve(chunk, text=chunk.reasoning, reasoning="")
        return attrs.evolve(chunk, reasoning=reasoning)


@define
class _Tags:
    """Tells thoughts between tags from the text behind them, as both come in pieces.

    Only at the beginning of an answer, and right behind another thought, does a tag begin one:
    what stands in the middle of a text may be quoted.
    """

    done: bool = False
    """Whether only text can follow."""
    _pending: str = ""
    _inside: bool = False
    _behind: bool = False

    def feed(self, text: str, *, inside: bool) -> tuple[str, str]:
        """Add a piece; return its part that is thought, and its part that is text.

        :param inside: a text that begins without a tag begins inside a thought.
        """
        reasoning: list[str] = []
        text = self._pending + text
        self._pending = ""
        while text:
            if self._inside:
                thought, close, text = text.partition(_CLOSE)
                if not close:
                    size = _beginning_of(_CLOSE, thought)
                    reasoning.append(thought[: len(thought) - size])
                    self._pending = thought[len(thought) - size :]
                    return "".join(reasoning), ""
                reasoning.append(thought)
                self._inside, self._behind = False, True
                continue
            start = text.lstrip()
            if start.startswith(_OPEN):
                text, self._inside = start.removeprefix(_OPEN), True
            elif _OPEN.startswith(start) and len(text) <= limits.NAME:
                self._pending = text
                break
            elif inside and not self._behind:
                self._inside = True
            else:
                self.done = True
                return "".join(reasoning), start if self._behind else text
        return "".join(reasoning), ""

    def close(self) -> tuple[str, str]:
        """Return what is left, as thought and as text."""
        held, self._pending = self._pending, ""
        if self._inside:
            return held, ""
        return "", "" if self._behind and not held.strip() else held


def _beginning_of(tag: str, text: str) -> int:
    """Count the characters at the end that may begin a tag."""
    longest = min(len(text), len(tag) - 1)
    return next((size for size in range(longest, 0, -1) if tag.startswith(text[-size:])), 0)


def final_answer(whole: ChatChunk) -> ChatChunk:
    """Return an answer given at once as it was meant: what came only as reasoning is the answer.

    One that was cut off while the model thought stays a thought.
    """
    only_reasoning = whole.reasoning and not whole.text and not whole.tool_calls
    if only_reasoning and whole.finish_reason != "length":
        return attrs.evolve(whole, text=whole.reasoning, reasoning="")
    return whole


def untagged(whole: ChatChunk) -> ChatChunk:
    """Remove thoughts from the text, also one whose opening tag the chat template wrote."""
    reasoning = whole.reasoning.lstrip().removeprefix(_OPEN).removesuffix(_CLOSE)
    late = _LATE_CLOSE.search(whole.text)
    inside = bool(late) and _OPEN not in whole.text[: late.start() if late else 0]
    tags = _Tags()
    thoughts, text = tags.feed(whole.text, inside=inside)
    rest_of_thoughts, rest = tags.close()
    return attrs.evolve(whole, reasoning=reasoning + thoughts + rest_of_thoughts, text=text + rest)


def thoughts_apart(text: str) -> tuple[str, str]:
    """Return a text without the thoughts in it, and the thoughts.

    Tags in the middle of a line are words about them; a block without an end ends with the text.
    """
    thoughts: list[str] = []
    late = _LATE_CLOSE.search(text)
    if late and _OPEN not in text[: late.start()]:
        thoughts.append(text[: late.start()])
        text = text[late.end() :]

    def take(block: re.Match[str]) -> str:
        thoughts.append(next(filter(None, block.groups()), ""))
        return ""

    text = _BLOCK.sub(take, text)
    return text.strip() if thoughts else text, "\n\n".join(filter(None, map(str.strip, thoughts)))


_BLOCK = re.compile(
    r"^[^\S\n]*<think>(.*?)</think>\s*"  # at the beginning of a line
    r"|<think>\n(.*?)</think>\s*"  # as thoughts are shown behind a text
    r"|^<think>(?!.*</think>)(.*)",
    re.DOTALL | re.MULTILINE,
)
