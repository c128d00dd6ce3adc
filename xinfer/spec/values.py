"""How the types of credentials fields are read from what Dify stores, and written to it.

Dify stores every credential as a string. A :class:`Codec` reads and writes one type; to support
another, add it to the table.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from attrs import frozen

from xinfer.spec.errors import Invalid
from xinfer.spec.i18n import I18n
from xinfer.spec.secret import Secret


@frozen
class Codec:
    """How one type is read from a form and written to it.

    :param parse: stripped text to value; raises ``ValueError``.
    :param write: value to text, such that ``parse(write(value)) == value``.
    :param expected: what is accepted: in English to complete "is not", in Chinese a request.
    """

    parse: Callable[[str], Any]
    write: Callable[[Any], str]
    expected: I18n


def _parse_bool(text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _parse_int(text: str) -> int:
    """Read digits, also grouped (``8,192``) or with a point (``8192.0``)."""
    grouped = _GROUPED.fullmatch(text)
    return int(grouped[1].replace(",", "") if grouped else text)


_GROUPED = re.compile(r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d+))(?:\.0+)?", re.ASCII)


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _write_float(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


_SWITCH = {"true": True, "1": True, "yes": True, "on": True} | {
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}

_CODECS: dict[type, Codec] = {
    str: Codec(str, str, I18n("text", zh_Hans="请填写文本")),
    Secret: Codec(Secret, Secret.reveal, I18n("text", zh_Hans="请填写文本")),
    int: Codec(_parse_int, str, I18n("a whole number, e.g. 8192", zh_Hans="请填写整数，例如 8192")),
    float: Codec(
        _parse_float, _write_float, I18n("a number, e.g. 60", zh_Hans="请填写数字，例如 60")
    ),
    bool: Codec(
        _parse_bool,
        lambda value: "true" if value else "false",
        I18n("true or false", zh_Hans="请填写 true 或 false"),
    ),
}


def codec_of(annotation: Any) -> tuple[Codec, bool]:
    """Return the codec of an annotation, and whether it admits ``None``.

    :raises TypeError: the type has no codec.
    """
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not types.NoneType]
        if len(inner) == 1 and len(get_args(annotation)) == 2:
            return codec_of(inner[0])[0], True
    if get_origin(annotation) is Literal and all(isinstance(a, str) for a in get_args(annotation)):
        return _one_of({text: text for text in get_args(annotation)}, str), False
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            members = {str(member.value): member for member in annotation}
            return _one_of(members, lambda member: str(member.value)), False
        if annotation in _CODECS:
            return _CODECS[annotation], False
    types_ = ", ".join(kind.__name__ for kind in _CODECS)
    raise TypeError(
        f"{annotation!r} cannot be read from a credential form: "
        f"use {types_}, an Enum, a Literal of strings, or one of these | None"
    )


def _one_of(choices: Mapping[str, Any], write: Callable[[Any], str]) -> Codec:
    """Make the codec of a type with few values, from the text of each."""

    def parse(text: str) -> Any:
        if text not in choices:
            raise ValueError(text)
        return choices[text]

    expected = I18n(
        f"one of {', '.join(choices)}", zh_Hans=f"请从以下选项中选择：{'、'.join(choices)}"
    )
    return Codec(parse, write, expected)


def text_of(value: object) -> str | None:
    """Read what Dify sent as text: stripped, ``None`` if there is nothing.

    :raises Invalid: it is a list, an object or another value that no form can hold.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    english, chinese = _CONTAINERS.get(type(value), (type(value).__name__,) * 2)
    raise Invalid(f"must be text, not {english}", f"必须是文本，而不是{chinese}")


_CONTAINERS: Mapping[type, tuple[str, str]] = {
    list: ("a list", "列表"),
    dict: ("an object", "对象"),
}
