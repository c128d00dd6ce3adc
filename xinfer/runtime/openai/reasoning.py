"""What a model thought and what it answers, told apart where a server mixes them up."""

from __future__ import annotations

import attrs
from attrs import define, field

from xinfer.runtime.openai.answers import ChatChunk


@define
class Reasoning:
    """Moves an answer that came under ``reasoning_content`` to where it belongs.

    llama.cpp sends thoughts in deltas without a ``content`` key. Servers in front of it that parse
    reasoning then move the text that follows under ``reasoning_content`` too, and leave a
    ``content: null`` beside it. Other engines write that ``null`` from the first thought on.

    :param switched_off: the model was asked not to think; some servers then move the whole answer
        under ``reasoning_content``.
    """

    _switched_off: bool = False
    _unmarked: bool = field(default=False, init=False)

    def sort(self, chunk: ChatChunk) -> ChatChunk:
        """Return the piece of a stream as it was meant."""
        if not chunk.reasoning:
            return chunk
        if chunk.unmarked:
            self._unmarked = True
            return chunk
        if (self._unmarked or self._switched_off) and not chunk.text:
            return attrs.evolve(chunk, text=chunk.reasoning, reasoning="")
        return chunk


def answered(whole: ChatChunk) -> ChatChunk:
    """Return an answer given at once as it was meant: what came only as reasoning is the answer.

    One that was cut off while it thought stays a thought.
    """
    only_reasoning = whole.reasoning and not whole.text and not whole.tool_calls
    if only_reasoning and whole.finish_reason != "length":
        return attrs.evolve(whole, text=whole.reasoning, reasoning="")
    return whole
