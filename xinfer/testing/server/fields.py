"""What Xinference requires of a body: its words for each mistake, in the order of its fields.

A mistake is answered with 500 and plain text, as pydantic says it. Source: recorded answers of
Xinference 4.1.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from xinfer.testing.server.answer import Refused, crashed
from xinfer.testing.server.arrived import Arrived

type Check = Callable[[Any], str | None]

_MISSING = "field required (type=value_error.missing)"


@frozen
class Field:
    """A field of a body.

    :param check: returns what is wrong with a value, or ``None``.
    """

    name: str
    check: Check = lambda _: None
    required: bool = False


def between(low: float | None = None, high: float | None = None) -> Check:
    """Check for a number within bounds, both included; a number as text is one."""
    kind = "integer" if isinstance(low, int) else "float"

    def check(value: Any) -> str | None:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return f"value is not a valid {kind} (type=type_error.{kind})"
        for bound, wrong, words, code in (
            (low, low is not None and number < low, "greater", "ge"),
            (high, high is not None and number > high, "less", "le"),
        ):
            if wrong:
                return (
                    f"ensure this value is {words} than or equal to {bound} "
                    f"(type=value_error.number.not_{code}; limit_value={bound})"
                )
        return None

    return check


def _list(value: Any) -> str | None:
    return None if isinstance(value, list) else "value is not a valid list (type=type_error.list)"


MODEL = Field("model", required=True)
_SAMPLING = (
    Field("max_tokens", between(1)),
    Field("temperature", between(0.0, 2.0)),
    Field("top_p", between(0.0, 1.0)),
)
CHAT = (MODEL, Field("messages", _list, required=True), *_SAMPLING)
COMPLETION = (MODEL, Field("prompt", required=True), *_SAMPLING)
EMBEDDING = (MODEL, Field("input", required=True))
RERANK = (MODEL, Field("query", required=True), Field("documents", _list, required=True))
SPEECH = (MODEL, Field("input", required=True), Field("speed", between(None, None)))


def checked(arrived: Arrived, name: str, fields: tuple[Field, ...]) -> Mapping[str, Any]:
    """Return the body.

    :param name: of Xinference's class for it.
    :raises Refused: it is not a JSON object, or a field is missing or wrong.
    """
    if not isinstance(arrived.body, dict):
        raise Refused(crashed(_unreadable(arrived.raw)))
    body: Mapping[str, Any] = arrived.body
    wrong = [(field.name, words) for field in fields if (words := _wrong(field, body))]
    if wrong:
        plural = "s" if len(wrong) > 1 else ""
        lines = "".join(f"\n{field}\n  {words}" for field, words in wrong)
        raise Refused(crashed(f"{len(wrong)} validation error{plural} for {name}{lines}"))
    return body


def _unreadable(raw: bytes) -> str:
    try:
        return f"'{type(json.loads(raw)).__name__}' object is not a mapping"
    except ValueError as error:
        return str(error)


def _wrong(field: Field, body: Mapping[str, Any]) -> str | None:
    if field.name not in body:
        return _MISSING if field.required else None
    value = body[field.name]
    if value is None:
        words = "none is not an allowed value (type=type_error.none.not_allowed)"
        return words if field.required else None
    return field.check(value)
