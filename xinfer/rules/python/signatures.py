"""Whether a method can be called as the SDK calls it."""

from __future__ import annotations

from xinfer.rules.python.sdk import Call
from xinfer.rules.python.tree import Function

_NO_SELF = {"staticmethod"}
_SELF = {"classmethod", "override", "abstractmethod"}


def misfit(node: Function, call: Call) -> str | None:
    """Say why a call does not fit; ``None`` where it does, or a decorator may make it fit."""
    skipped = 1
    for decorator in node.decorator_list:
        name = getattr(decorator, "id", getattr(decorator, "attr", ""))
        if name not in _NO_SELF | _SELF:
            return None
        skipped = 0 if name in _NO_SELF else skipped
    said = node.args
    places = [one.arg for one in (*said.posonlyargs, *said.args)][skipped:]
    optional = set(places[len(places) - len(said.defaults) :]) if said.defaults else set()
    by_name = {one.arg for one in said.args} | {one.arg for one in said.kwonlyargs}
    if skipped and not (said.posonlyargs or said.args or said.vararg):
        return "takes no self"
    if call.by_place > len(places) and said.vararg is None:
        return f"takes {len(places)} arguments, and is given {call.by_place}"
    given = set(places[: call.by_place]) | set(call.by_name)
    unknown = [name for name in call.by_name if name not in by_name]
    if unknown and said.kwarg is None:
        return f"has no parameter {unknown[0]}"
    lacking = [name for name in places if name not in given | optional]
    lacking += [
        one.arg
        for one, default in zip(said.kwonlyargs, said.kw_defaults, strict=True)
        if default is None and one.arg not in given
    ]
    return f"is given no {lacking[0]}" if lacking else None
