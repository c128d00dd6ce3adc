"""Thoughts as Dify shows them: ``<think>…</think>`` in front of the answer."""

from __future__ import annotations

from attrs import define, field

_OPEN, _CLOSE = "<think>\n", "\n</think>"


@define
class Thinking:
    """Writes the tags around thoughts that come in pieces; each opened one is closed once."""

    _open: bool = field(default=False, init=False)
    _thoughts: list[str] = field(factory=list, init=False)
    _answered: bool = field(default=False, init=False)

    def feed(self, reasoning: str, text: str) -> str:
        """Return what to show of a piece: thoughts first, then what is said."""
        shown = ""
        if reasoning:
            shown += reasoning if self._open else _OPEN + reasoning
            self._open = True
            self._thoughts.append(reasoning)
        if text:
            shown += self.close() + text
            self._answered = self._answered or not text.isspace()
        return shown

    def close(self) -> str:
        """End the thoughts, as when a tool call follows; return what to show for it."""
        shown = _CLOSE if self._open else ""
        self._open = False
        return shown

    def finish(self, *, complete: bool) -> str:
        """Return what is left to show at the end.

        :param complete: the model came to its own end and called no tool. If it said nothing
            then, what it thought is its answer, and is said as well: Dify's next steps would
            find an empty one.
        """
        shown = self.close()
        if complete and self._thoughts and not self._answered:
            shown += "\n\n" + "".join(self._thoughts).strip()
        return shown
