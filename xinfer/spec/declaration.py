"""The base of every declared class: where an object was made, and which fields were passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Self

import attrs
from attrs import Converter, field, fields, frozen

from xinfer.spec.span import CallSite, Site, Span, current_site, using_site


def _noted(_: frozenset[str], declared: Any) -> frozenset[str]:
    """Keep the names that ``__new__`` has recorded."""
    explicit: frozenset[str] = declared.explicit
    return explicit


@frozen(kw_only=True)
class Declaration:
    """Base of every declared class; only ``extra_keys`` is part of equality.

    :param extra_keys: keys of the YAML that the format does not have, or whose value is null;
        written after the others.
    :param explicit: the names of the fields that were given, which are written even if they have
        their default. Authors leave it out; ``attrs.evolve`` passes it on.
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
        """Record which fields are passed: a value equal to the default may be one of them."""
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
    """Use the span of ``declared`` for objects created in this block, which follow from it.

    ``None`` leaves them without a span, until :func:`set_span` sets it.
    """
    with using_site(declared._site if declared else None):  # noqa: SLF001
        yield


def evolve[D: Declaration](declared: D, **changes: Any) -> D:
    """Copy an object with changes that follow from others; the copy keeps the original's span."""
    with span_from(declared):
        return attrs.evolve(declared, explicit=declared.explicit | changes.keys(), **changes)


def set_span(declared: Declaration, span: Span | None) -> None:
    """Set the span of an object that was just made."""
    object.__setattr__(declared, "_site", span)


def _not_default(cls: Any, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Name the arguments that differ from the defaults of a class."""
    for name, default in _defaults(cls).items():
        if name in arguments and arguments[name] != default:
            yield name


@cache
def _defaults(cls: Any) -> dict[str, Any]:
    own = (field for field in fields(cls) if field.init and field.name not in _OF_ALL)
    return {field.name: default_of(field) for field in own}


def default_of(field: attrs.Attribute[Any]) -> Any:
    """Return a field's default; ``NOTHING`` if there is none, or it follows from other fields."""
    factory = getattr(field.default, "factory", None)
    if factory is None:
        return field.default
    return attrs.NOTHING if field.default.takes_self else factory()  # type: ignore[union-attr]


_OF_ALL = {field.name for field in fields(Declaration)}
