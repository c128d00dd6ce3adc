"""Tool calls joined from the pieces in which servers send them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator

from attrs import define, field, frozen

from xinfer.runtime.openai.answers import ToolCallDelta
from xinfer.runtime.openai.text import whole


@frozen(kw_only=True)
class ToolCall:
    """A call that a model wants made; the arguments are JSON text."""

    id: str
    name: str
    arguments: str


@define
class ToolCalls:
    """Gathers the pieces of calls, in the order in which the calls began.

    Servers differ in what tells calls apart. Some give all calls of an answer one index or one
    id, some a new id with every piece, some repeat the name. So a name begins a call, unless the
    call that it would belong to is unfinished and has the same name.
    """

    _calls: list[_Call] = field(factory=list)
    _by_index: dict[int, _Call] = field(factory=dict)

    def add(self, pieces: Iterable[ToolCallDelta]) -> None:
        """Add the pieces of one event, in which each name begins another call."""
        begun: set[int] = set()
        for piece in pieces:
            call = self._going_on(piece, begun)
            if call is None:
                call = _Call()
                self._calls.append(call)
                if piece.index is not None:
                    self._by_index[piece.index] = call
            if piece.name:
                begun.add(id(call))
            call.take(piece)

    def _going_on(self, piece: ToolCallDelta, begun: set[int]) -> _Call | None:
        """Find the call that a piece belongs to; ``None`` if it begins one."""
        if piece.index is not None:
            call = self._by_index.get(piece.index)
        else:
            call = self._calls[-1] if self._calls else None
        if call is None or not piece.name:
            return call
        if not call.name:
            return call
        other_id = piece.index is None and piece.id and call.id and piece.id != call.id
        repeats = piece.name == call.name and not call.is_complete and id(call) not in begun
        return call if repeats and not other_id else None

    def __bool__(self) -> bool:
        return any(call.name for call in self._calls)

    def __iter__(self) -> Iterator[ToolCall]:
        """Yield the whole calls; those without a name are left out."""
        ids: set[str] = set()
        for call in self._calls:
            if call.name:
                unique = call.id if call.id and call.id not in ids else new_id()
                ids.add(unique)
                arguments = whole("".join(call.arguments)) or "{}"
                yield ToolCall(id=unique, name=call.name, arguments=arguments)


@define
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(factory=list)

    def take(self, piece: ToolCallDelta) -> None:
        self.id = self.id or piece.id
        self.name = self.name or piece.name
        if piece.arguments:
            self.arguments.append(piece.arguments)

    @property
    def is_complete(self) -> bool:
        """Whether the arguments are JSON already."""
        try:
            json.loads("".join(self.arguments))
        except (ValueError, RecursionError):
            return False
        return True


def new_id() -> str:
    """Make an id for a call that has none."""
    return f"call_{uuid.uuid4().hex}"
