"""Plain data to YAML text that every reader understands alike.

PyYAML (the SDK) follows YAML 1.1, Go's yaml.v3 (the daemon) mixes 1.1 and 1.2: ``on``, ``1_000``
and ``12:30`` mean different things to them. So only strings that begin with a letter and are no
word of either version stand bare; all others are quoted.
"""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from xinfer.spec import Timestamp
from xinfer.spec.declaration import Declaration
from xinfer.yaml.data import to_data

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_STRING = "tag:yaml.org,2002:str"


def to_yaml(content: Declaration | dict[str, Any] | list[Any], *, source: str) -> str:
    """Write a declared object, or plain data, as YAML.

    :param source: the file it is made from, named in the comment on top.
    """
    data = to_data(content) if isinstance(content, Declaration) else content
    stream = io.StringIO()
    _yaml().dump(data, stream)
    heading = f"# Made from {source} by xinfer. Edit that file, then run xinfer build."
    return f"{heading}\n{stream.getvalue()}"


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 2**31
    yaml.allow_unicode = True
    return yaml


class _Representer(RoundTripRepresenter):
    """Chooses the quotes, and never an anchor: the SDK's and the daemon's views must not differ."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_text(representer: _Representer, text: str) -> ScalarNode:
    if text.isprintable() and text == text.strip():
        is_plain = text[:1].isalpha() and text.lower() not in _WORDS
        style = None if is_plain else "'"
    else:
        style = '"'
    return representer.represent_scalar(_STRING, text, style=style)


def _represent_float(representer: _Representer, number: float) -> ScalarNode:
    text = _SPECIAL.get(repr(number)) or repr(number)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")  # without a point YAML 1.1 reads a string
    return representer.represent_scalar("tag:yaml.org,2002:float", text)


def _represent_time(representer: _Representer, moment: date) -> ScalarNode:
    """Write RFC 3339: PyYAML's and ruamel's own form is an error to the daemon."""
    text = moment.isoformat().replace("+00:00", "Z")
    return representer.represent_scalar("tag:yaml.org,2002:timestamp", text)


def _represent_timestamp(representer: _Representer, moment: Timestamp) -> ScalarNode:
    return representer.represent_scalar("tag:yaml.org,2002:timestamp", str(moment))


_SPECIAL = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}

_Representer.add_representer(str, _represent_text)
_Representer.add_representer(float, _represent_float)
_Representer.add_representer(date, _represent_time)
_Representer.add_representer(datetime, _represent_time)
_Representer.add_representer(Timestamp, _represent_timestamp)
