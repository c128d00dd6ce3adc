"""What every declared class shares: where an object was written, and what was said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Self

import attrs
from attrs import Converter, field, fields, frozen

from xinfer.spec.span import CallSite, Site, Span, current_site, using_site


def _noted(_: frozenset[str], declared: Any) -> frozenset[str]:
    """Keep what ``__new__`` has noted."""
    explicit: frozenset[str] = declared.explicit
    return explicit


@frozen(kw_only=True)
class Declaration:
    """Base of every declared class; only ``extra_keys`` is part of equality.

    :param extra_keys: keys of the YAML that the format does not have, or whose value is null;
        written after the others.
    :param explicit: the fields that were given, by name. Left out by authors; ``attrs.evolve``
        hands it on. A field that was given is written even if it has its default.
    """

    extra_keys: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)
    explicit: frozenset[str] = field(
        default=frozenset(),
        eq=False,
        repr=False,
        converter=Converter(_noted, takes_self=True),  # type: ignore[misc]
    )
    _site: Site = field(init=False, factory=current_site, eq=False, repr=False)

    def __new__(cls, *values: object, **arguments: Any) -> Self:
        """Note which fields are given, which the values alone do not tell."""
        declared = super().__new__(cls)
        if (explicit := arguments.get("explicit")) is None:
            explicit = frozenset((*cls.__match_args__[: len(values)], *arguments)) - {"extra_keys"}
        else:
            explicit |= frozenset(_not_default(cls, arguments))
        object.__setattr__(declared, "explicit", explicit)
        return declared

    @property
    def span(self) -> Span | None:
        """Where the object was made, or was read from; ``None`` if that is in no file."""
        if isinstance(self._site, CallSite):
            set_span(self, self._site.span())
        return self._site  # type: ignore[return-value]


@contextmanager
def span_from(declared: Declaration | None) -> Iterator[None]:
    """Give the objects created in this block the span of the object that they follow from.

    ``None`` leaves them without a span until :func:`set_span` gives them one.
    """
    with using_site(declared._site if declared else None):  # noqa: SLF001
        yield


def evolve[D: Declaration](declared: D, **changes: Any) -> D:
    """Copy with changes that follow from the rest: the copy keeps the span of the original."""
    with span_from(declared):
        return attrs.evolve(declared, explicit=declared.explicit | changes.keys(), **changes)


def set_span(declared: Declaration, span: Span | None) -> None:
    """Let an object that was just made point to ``span``."""
    object.__setattr__(declared, "_site", span)


def _not_default(cls: Any, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Name the arguments that differ from the defaults of a class."""
    for name, default in _defaults(cls).items():
        if name in arguments and arguments[name] != default:
            yield name


@cache
def _defaults(cls: Any) -> dict[str, Any]:
    own = (field for field in fields(cls) if field.init and field.name not in _OF_ALL)
    return {field.name: _default(field) for field in own}


def _default(field: attrs.Attribute[Any]) -> Any:
    factory = getattr(field.default, "factory", None)
    return factory() if factory else field.default


_OF_ALL = {field.name for field in fields(Declaration)}
