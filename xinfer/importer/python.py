"""Declared objects as the Python that makes them: what was said, and nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs
from attrs import define, field

from xinfer.spec import Declaration, ParameterRule, Pricing

_LONG = 76
"""Characters of a text that is broken over several lines."""

_OF_CONSTANTS = (ParameterRule, Pricing)
"""What is looked at again and again for whether it has a name; it holds nothing that has one."""

type Comments = Callable[[Declaration, str], list[str]]
"""The comments above a field of an object."""


@define
class Source:
    """Writes objects as expressions, and remembers the names that these need.

    :param constants: the name of each expression that has one.
    :param comments: see :data:`Comments`.
    """

    constants: Mapping[str, str] = field(factory=dict)
    comments: Comments = lambda _, __: []
    names: set[str] = field(factory=set)
    used: set[str] = field(factory=set)
    _written: dict[int, str] = field(factory=dict, init=False)

    def of(self, value: object) -> str:
        """Write any value that a declaration holds."""
        written = self._plain(value)
        if name := self.constants.get(written):
            self.used.add(name)
            return name
        return written

    def _plain(self, value: object) -> str:
        match value:
            case Declaration():
                return self._call(value)
            case Enum():
                self.names.add(type(value).__name__)
                return f"{type(value).__name__}.{value.name}"
            case str():
                return text(value)
            case tuple() | list():
                items = ", ".join(map(self.of, value))
                if isinstance(value, list):
                    return f"[{items}]"
                return f"({items},)" if len(value) == 1 else f"({items})"
            case Mapping():
                return f"{{{', '.join(f'{self.of(k)}: {self.of(v)}' for k, v in value.items())}}}"
            case Decimal():
                self.names.add("Decimal")
                return f'Decimal("{value}")'
            case datetime():
                return self._moment(value)
            case date():
                self.names.add("date")
                return f"date({value.year}, {value.month}, {value.day})"
            case _:
                return repr(value)

    def _call(self, declared: Declaration) -> str:
        if (written := self._written.get(id(declared))) is not None:
            return written
        self.names.add(type(declared).__name__)
        written = f"{type(declared).__name__}({self.arguments(declared)})"
        if isinstance(declared, _OF_CONSTANTS):
            self._written[id(declared)] = written
        return written

    def arguments(self, declared: Declaration, *, without: Iterable[str] = ()) -> str:
        """Write what an object was made with, comments above it, in the order of its class."""
        written = []
        for declared_field in attrs.fields(type(declared)):
            name = declared_field.name
            value = getattr(declared, name, None)
            if not declared_field.init or name in without or not _said(declared, declared_field):
                continue
            said = self.of(value)
            if isinstance(value, str) and said.startswith("("):
                said = said[1:-1]  # an argument needs no parentheses of its own
            above = "".join(f"\n# {line}\n" for line in self.comments(declared, name))
            keyword = "" if _positional(declared_field) else f"{name}="
            written.append(f"{above}{keyword}{said}")
        # Keys of no format stand last, as they are written.
        written.sort(key=lambda argument: argument.lstrip().startswith("extra_keys="))
        return ", ".join(written)

    def _moment(self, moment: datetime) -> str:
        self.names.add("datetime")
        parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
        while len(parts) > 3 and not parts[-1] and not moment.microsecond:
            parts.pop()
        said = ", ".join(map(str, [*parts, *([moment.microsecond] if moment.microsecond else [])]))
        zone = moment.tzinfo
        if zone is None:
            return f"datetime({said})"
        offset = moment.utcoffset()
        if zone is UTC or not offset:
            self.names.add("UTC")
            return f"datetime({said}, tzinfo=UTC)"
        self.names |= {"timedelta", "timezone"}
        minutes = int(offset.total_seconds() // 60)
        span = f"hours={minutes // 60}" if minutes % 60 == 0 else f"minutes={minutes}"
        return f"datetime({said}, tzinfo=timezone(timedelta({span})))"


def _said(declared: Declaration, declared_field: attrs.Attribute[Any]) -> bool:
    name = declared_field.name
    if name == "extra_keys":
        return bool(declared.extra_keys)
    return name in declared.explicit or declared_field.default is attrs.NOTHING


def _positional(declared_field: attrs.Attribute[Any]) -> bool:
    return not declared_field.kw_only


def text(value: str) -> str:
    """Write a text in double quotes, a long one over several lines."""
    if len(value) <= _LONG or "\n" in value:
        parts = value.splitlines(keepends=True) if len(value) > _LONG else [value]
    else:
        parts = _wrapped(value)
    quoted = [_quoted(part) for part in parts]
    return quoted[0] if len(quoted) == 1 else f"({' '.join(quoted)})"


def _wrapped(value: str) -> list[str]:
    lines = textwrap.wrap(
        value,
        _LONG,
        drop_whitespace=False,
        replace_whitespace=False,
        expand_tabs=False,
        break_on_hyphens=False,
    )
    return lines if "".join(lines) == value else [value]


def _quoted(value: str) -> str:
    if '"' in value and "'" not in value and value.isprintable() and "\\" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    if escaped.isprintable():
        return f'"{escaped}"'
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in escaped) + '"'


def _escape(character: str) -> str:
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    if character in known:
        return known[character]
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )
