"""Thoughts as Dify shows them: ``<think>…</think>`` in front of the answer."""

from __future__ import annotations

from attrs import define, field

_MOST_BLANKS = 200
"""Between thoughts."""
_OPEN, _CLOSE = "<think>\n", "\n</think>\n\n"
"""Markdown begins anew only behind an empty line."""


@define
class Thinking:
    """Writes the tags around thoughts that come in pieces; each opened one is closed once.

    Blanks around thoughts, and in front of the answer behind them, are dropped: engines differ.
    """

    _open: bool = field(default=False, init=False)
    _blanks: str = field(default="", init=False)
    """Of the last thought, kept until another one follows."""
    _thoughts: list[str] = field(factory=list, init=False)
    _behind: bool = field(default=False, init=False)
    """Whether the answer begins next."""
    _has_answer: bool = field(default=False, init=False)

    def feed(self, reasoning: str, text: str) -> str:
        """Return what to show of a piece: thoughts first, then what is said."""
        visible = self._think(reasoning) if reasoning else ""
        if text:
            visible += self.close()
            answer = text.lstrip() if self._behind else text
            self._behind = self._behind and not answer
            self._has_answer = self._has_answer or bool(answer.strip())
            visible += answer
        return visible

    def _think(self, reasoning: str) -> str:
        thought = self._blanks + reasoning
        if not self._open:
            thought = thought.lstrip()
        stripped = thought.rstrip()
        self._blanks = thought[len(stripped) :][-_MOST_BLANKS:]
        if not stripped:
            return ""
        self._thoughts.append(stripped)
        visible = stripped if self._open else _OPEN + stripped
        self._open = True
        return visible

    def close(self) -> str:
        """End the thoughts, as when a tool call follows; return what to show for it."""
        visible = _CLOSE if self._open else ""
        self._behind = self._behind or self._open
        self._open, self._blanks = False, ""
        return visible

    def finish(self, *, complete: bool) -> str:
        """Return what is left to show at the end.

        :param complete: the model came to its own end and called no tool. If it said nothing
            then, what it thought is its answer, and is said as well: Dify's next steps would
            find an empty one.
        """
        visible = self.close()
        if complete and self._thoughts and not self._has_answer:
            visible += "".join(self._thoughts)
        return visible
