"""What a credentials field sets: the typed values of ``sets=``.

.. code-block:: python

    class ServerCredentials(Credentials):
        server_url: str = text_input(label=I18n("Server URL"), sets=base_url)
        key: Secret | None = secret_input(label=I18n("API key"), default=None, sets=api_key)
        organization: str | None = text_input(
            label=I18n("Organization"), default=None, sets=header("X-Org")
        )
        region: str = radio(
            label=I18n("Region"),
            options=[Option("cn", I18n("China")), Option("intl", I18n("International"))],
            default="intl",
            sets=body("region").by_option({"cn": 1, "intl": 2}),
        )

A field that sets nothing is read by ``setting()`` in the declaration, or by the plugin's own
Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from xinfer.spec.errors import Invalid
from xinfer.spec.secret import Secret
from xinfer.spec.values import codec_of

if TYPE_CHECKING:
    from xinfer.spec.credential_field import CredentialField
    from xinfer.spec.credentials import Credentials

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a header (RFC 9110, section 5.6.2)."""
_LISTED = "Authorization, Connection, Content-Length, Content-Type, Host, Transfer-Encoding"
_RESERVED = frozenset(_LISTED.lower().split(", "))
"""Headers that the client writes itself."""


@frozen
class Target:
    """A part of the requests that a credentials field sets.

    :param name: the setting's own name.
    :param key: which header, query parameter or key of the body, for those that have one.
    :param types: the types of a field that can set it; empty for any.
    """

    name: str
    key: str = ""
    types: tuple[type, ...] = field(default=(), eq=False, repr=False)

    def by_option(self, values: Mapping[str, Any]) -> ByOption:
        """Return a target that sets the value that the chosen option stands for."""
        return ByOption(self, dict(values))

    def check(self, value: Any) -> None:
        """Refuse a value that this part of a request cannot carry.

        :raises Invalid: says what is accepted.
        """
        if self.name == "headers":
            _headers(_revealed(value))
        elif self.name == "body" and not self.key:
            _json_object(value)
        elif self.name == "header":
            _header_value(self.key, _revealed(value))

    def __str__(self) -> str:
        return f'{self.name}("{self.key}")' if self.key else self.name


@frozen
class ByOption:
    """A target whose value follows from the option that the user chooses."""

    target: Target
    values: Mapping[str, Any] = field(hash=False)

    def __str__(self) -> str:
        return f"{self.target}.by_option({dict(self.values)!r})"


type Sets = Target | ByOption


@frozen
class _Body(Target):
    """The whole body, as JSON that the user enters, or one key of it."""

    def __call__(self, key: str) -> Target:
        """Set one key of the body; a transcription sends it as a form field."""
        if not key:
            raise ValueError('body() needs a key, e.g. body("language")')
        return Target("body", key)


base_url = Target("base_url", types=(str,))
"""Where the server is, up to the version part: ``https://host/v1``."""
model = Target("model", types=(str,))
"""The model's name on the server, where it differs from its name in Dify."""
api_key = Target("api_key", types=(Secret,))
"""Sent as ``Authorization: Bearer``."""
timeout = Target("timeout", types=(float, int))
"""Seconds to wait for the server to respond, and between two parts of a response."""
max_retries = Target("max_retries", types=(int,))
"""How often a call is repeated that had no response, or 429, 502, 503 or 504."""
verify_tls = Target("verify_tls", types=(bool,))
"""Whether the server's certificate is verified."""
ca_certificate = Target("ca_certificate", types=(str,))
"""PEM of an authority to trust besides the usual ones."""
headers = Target("headers", types=(Secret,))
"""Headers that the user enters, as a JSON object or as ``Name: value``, separated by ``;``."""
body = _Body("body", types=(str,))
"""Keys to add to the body, as a JSON object that the user enters; ``body("key")`` for one."""


def header(name: str) -> Target:
    """Set one header.

    :raises ValueError: the name is invalid, or the client writes that header itself.
    """
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header")
    if name.lower() in _RESERVED:
        instead = "use api_key" if name.lower() == "authorization" else "the client writes it"
        raise ValueError(f"the header {name} cannot be set: {instead}")
    return Target("header", name)


def query(name: str) -> Target:
    """Set one parameter of the URL's query."""
    if not name:
        raise ValueError('query() needs a name, e.g. query("api-version")')
    return Target("query", name)


@frozen(kw_only=True)
class ConnectionSettings:
    """What one user's credentials set; ``None`` or empty for what they do not set."""

    base_url: str | None = None
    model: str | None = None
    api_key: Secret | None = None
    timeout: float | None = None
    max_retries: int | None = None
    verify_tls: bool | None = None
    ca_certificate: str | None = None
    headers: Mapping[str, Secret] = field(factory=dict)
    query: Mapping[str, str] = field(factory=dict)
    body: Mapping[str, Any] = field(factory=dict)


def connection_settings(credentials: Credentials, model_type: str = "") -> ConnectionSettings:
    """Collect what the fields of a credentials class set.

    :param model_type: leave out fields that the form shows for other types of models only.
    """
    settings: dict[str, Any] = {}
    headers: dict[str, Secret] = {}
    query: dict[str, str] = {}
    body: dict[str, Any] = {}
    for target, value in _values(credentials, model_type):
        if target.name == "headers":
            free_headers = {name: Secret(text) for name, text in _headers(_revealed(value)).items()}
            headers = free_headers | headers
        elif target.name == "header":
            headers[target.key] = Secret(_header_value(target.key, _revealed(value)))
        elif target.name == "query":
            query[target.key] = _revealed(value)
        elif target.name == "body" and target.key:
            body[target.key] = value.reveal() if isinstance(value, Secret) else value
        elif target.name == "body":
            body = _json_object(value) | body
        else:
            settings[target.name] = value
    return ConnectionSettings(headers=headers, query=query, body=body, **settings)


def _values(credentials: Credentials, model_type: str) -> Iterator[tuple[Target, Any]]:
    for declared in credentials.__credential_fields__:
        value = getattr(credentials, declared.name)
        if value is None or not declared.is_for(model_type):
            continue
        for sets in declared.sets:
            if isinstance(sets, ByOption):
                yield sets.target, sets.values[declared.codec.write(value)]
            else:
                yield sets, value


def check_field(declared: CredentialField) -> None:
    """Refuse a field whose type or options do not fit what it sets.

    :raises TypeError: says what fits.
    """
    for sets in declared.sets:
        if isinstance(sets, ByOption):
            options = [option.value for option in declared.form.options]
            if set(options) != set(sets.values):
                raise TypeError(
                    f"{sets.target}.by_option() needs a value for each option "
                    f"({', '.join(options) or 'the field has none'}), "
                    f"and has {', '.join(sets.values) or 'none'}"
                )
            for value in sets.values.values():
                sets.target.check(value)
        elif not isinstance(sets, Target):
            raise TypeError(f'sets takes a value such as base_url or header("X-Org"), not {sets!r}')
        elif sets.types and declared.codec not in [codec_of(kind)[0] for kind in sets.types]:
            expected = " or ".join(kind.__name__ for kind in sets.types)
            raise TypeError(
                f"{sets} is set by a field of type {expected}"
                + (": declare it with secret_input" if Secret in sets.types else "")
            )


def check_fields(declared: Iterable[CredentialField]) -> None:
    """Refuse two fields that set the same target and can be shown together.

    :raises TypeError: names both.
    """
    before: list[tuple[Target, CredentialField]] = []
    for each in declared:
        for sets in each.sets:
            target = sets.target if isinstance(sets, ByOption) else sets
            for other_target, other in before:
                if target == other_target and each.may_be_shown_with(other):
                    raise TypeError(f"{other.name} and {each.name} both set {target}")
            before.append((target, each))


def _revealed(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)


def _headers(text: str) -> dict[str, str]:
    """Read a JSON object, or ``Name: value`` pairs separated by ``;`` or line breaks."""
    if text.lstrip().startswith("{"):
        pairs = list(_json_object(text).items())
    else:
        split = (part.partition(":") for part in re.split(r"[;\n]", text) if part.strip())
        pairs = [(name.strip(), value if colon else None) for name, colon, value in split]
    read: dict[str, str] = {}
    for name, value in pairs:
        if not _TOKEN.fullmatch(name) or isinstance(value, dict | list) or value is None:
            raise Invalid(
                'must be a JSON object such as {"X-Team": "search"}, or Name: value',
                '应为 JSON 对象，例如 {"X-Team": "search"}，或 名称: 值',
            )
        if name.lower() in _RESERVED:
            raise Invalid(
                f"must not hold {_LISTED}: the plugin sets these headers itself",
                f"不能包含 {_LISTED}：这些请求头由插件自动设置",
            )
        read[name] = _header_value(name, str(value))
    return read


def _header_value(name: str, text: str) -> str:
    value = text.strip()
    if not (value.isprintable() and all(ord(letter) < 0x100 for letter in value)):
        raise Invalid(
            f"the value of the header {name} must be one line of Latin letters",
            f"请求头 {name} 的值必须为一行，且只能包含拉丁字符",
        )
    return value


def _json_object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Invalid(
            'must be a JSON object, e.g. {"top_k": 20}', '应为 JSON 对象，例如 {"top_k": 20}'
        )
    return value
