"""Whether a method can be called as the SDK calls it."""

from __future__ import annotations

from xinfer.rules.python.sdk import Call
from xinfer.rules.python.tree import Function

_NO_SELF = {"staticmethod"}
_SELF = {"classmethod", "override", "abstractmethod"}


def misfit(node: Function, call: Call) -> str | None:
    """Return why a call does not fit; ``None`` if it does, or a decorator may make it fit."""
    skipped = 1
    for decorator in node.decorator_list:
        name = getattr(decorator, "id", getattr(decorator, "attr", ""))
        if name not in _NO_SELF | _SELF:
            return None
        skipped = 0 if name in _NO_SELF else skipped
    takes = node.args
    places = [each.arg for each in (*takes.posonlyargs, *takes.args)][skipped:]
    optional = set(places[len(places) - len(takes.defaults) :]) if takes.defaults else set()
    by_name = {each.arg for each in (*takes.args, *takes.kwonlyargs)}
    if skipped and not (takes.posonlyargs or takes.args or takes.vararg):
        return "takes no self"
    if call.by_place > len(places) and takes.vararg is None:
        return f"takes {len(places)} arguments, and the SDK passes {call.by_place}"
    passed = set(places[: call.by_place]) | set(call.by_name)
    unknown = [name for name in call.by_name if name not in by_name]
    if unknown and takes.kwarg is None:
        return f"has no parameter {unknown[0]}"
    lacking = [name for name in places if name not in passed | optional]
    lacking += [
        each.arg
        for each, default in zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
        if default is None and each.arg not in passed
    ]
    return f"needs {lacking[0]}, which the SDK does not pass" if lacking else None
