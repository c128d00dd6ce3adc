"""What users may enter: valid for a credentials class, or wrong in one field that must be named."""

from __future__ import annotations

import keyword
import types
from collections.abc import Mapping
from typing import Any

from attrs import NOTHING, frozen
from hypothesis import strategies as st

from xinfer.spec import (
    Credentials,
    FormType,
    I18n,
    Option,
    Secret,
    between,
    gt,
    http_url,
    native_switch,
    secret_input,
    select,
    switch,
    text_input,
)
from xinfer.spec.credential_field import CredentialField
from xinfer.spec.credentials import fields
from xinfer.testing.strategies.specs import texts

_VOICE = "Anna = https://files.example/anna.wav | Hello"
_SAMPLES: tuple[str, ...] = (
    *("some text", "http://192.168.1.100:9997", "1", "0.5", "true", "40"),
    _VOICE,
)
"""One of these tells which kind of text a field with a converter of the user's own takes."""


@st.composite
def raw_credentials(
    draw: st.DrawFn, credentials: type[Credentials], /, **strategies: st.SearchStrategy[str]
) -> dict[str, str]:
    """Make what Dify would send for credentials that must be accepted.

    :param strategies: strategies for fields, by variable, whose converter takes what no sample of
        texts, numbers and URLs meets.
    """
    raw: dict[str, str] = {}
    for field in fields(credentials):
        variable = field.form.variable
        demanded = field.default is NOTHING
        if demanded or draw(st.booleans()):
            raw[variable] = draw(
                strategies[variable] if variable in strategies else _accepted(field)
            )
    if draw(st.booleans()):
        raw["of_another_version"] = draw(texts())
    return raw


@frozen(kw_only=True)
class Broken:
    """Credentials with one wrong field.

    :param variable: the field that the error must name.
    """

    raw: Mapping[str, object]
    variable: str


@st.composite
def broken_credentials(
    draw: st.DrawFn, credentials: type[Credentials], /, **strategies: st.SearchStrategy[str]
) -> Broken:
    """Make credentials that must be refused, and name the field that the refusal must name.

    :param strategies: as for :func:`raw_credentials`.
    """
    raw: dict[str, object] = dict(draw(raw_credentials(credentials, **strategies)))
    unconditional = [field for field in fields(credentials) if not field.form.show_on]
    field = draw(st.sampled_from(unconditional))
    variable = field.form.variable
    wrong = [st.just("SFlCUklE" + "AAAA"), st.sampled_from([[], {}, ["x"]])]
    if field.default is NOTHING:
        wrong.append(st.sampled_from(["", "  ", None]))
    if not _takes(field, "not a number, nor one of them"):
        wrong.append(st.just("not a number, nor one of them"))
    raw[variable] = draw(st.one_of(wrong))
    return Broken(raw=raw, variable=variable)


def _accepted(field: CredentialField) -> st.SearchStrategy[str]:
    """Texts that the field takes: from its options, or like the samples that it takes."""
    if field.form.options:
        return st.sampled_from([option.value for option in field.form.options])
    kinds = {
        "some text": texts(min_size=1).filter(lambda text: not text.startswith("SFlCUklE")),
        "http://192.168.1.100:9997": _urls(),
        "1": st.integers(-10, 100).map(str),
        "0.5": st.floats(-10, 1000).map(str),
        "true": st.sampled_from(["true", "false", "True", "1", "0"]),
        "40": st.integers(11, 10**6).map(str),
        _VOICE: st.sampled_from([_VOICE, f"{_VOICE}; Ben = http://10.0.0.7/ben.wav"]),
    }
    accepted = [kinds[sample] for sample in _SAMPLES if _takes(field, sample)]
    if not accepted:
        raise ValueError(
            f"no sample text is accepted by the field {field.form.variable}: "
            f"give raw_credentials(..., {field.form.variable}=<a strategy>)"
        )
    return st.one_of(accepted).filter(lambda text: _takes(field, text))


def _takes(field: CredentialField, text: str) -> bool:
    try:
        return field.read(text) is not NOTHING
    except ValueError:
        return False


def _urls() -> st.SearchStrategy[str]:
    hosts = st.sampled_from(["localhost", "10.0.0.7", "xinference.example.com", "[::1]"])
    paths = st.sampled_from(["", "/", "/v1", "/v1/", "/base", "/base/v1"])
    blanks = st.sampled_from(["", " ", "\n"])
    return st.builds(
        lambda scheme, host, port, path, blank: f"{blank}{scheme}://{host}:{port}{path}{blank}",
        st.sampled_from(["http", "https"]),
        hosts,
        st.integers(1, 65535),
        paths,
        blanks,
    )


@st.composite
def credentials_classes(draw: st.DrawFn) -> type[Credentials]:
    """Make a credentials class: any number of fields of every kind, with and without defaults."""
    names = draw(st.lists(_names(), min_size=1, max_size=6, unique=True))
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    for name in names:
        annotations[name], namespace[name] = draw(_specified())
    return types.new_class(
        "DrawnCredentials", (Credentials,), exec_body=lambda body: body.update(namespace)
    )


def _names() -> st.SearchStrategy[str]:
    identifiers = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
    return identifiers.filter(lambda name: not keyword.iskeyword(name) and name not in _RESERVED)


_RESERVED = frozenset(dir(Credentials)) | {
    "model",
    "model_type",
    "model_name",
    "of_another_version",
}


@st.composite
def _specified(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw the annotation of a field and its specifier."""
    kind = draw(st.sampled_from(FormType))
    label = I18n(draw(_shown_texts()), zh_Hans=draw(st.none() | _shown_texts()))
    if kind is FormType.SWITCH:
        specifier = draw(st.sampled_from((switch, native_switch)))
        return bool, specifier(label=label, default=draw(st.booleans()))
    if kind is FormType.SECRET_INPUT:
        if draw(st.booleans()):
            return Secret, secret_input(label=label)
        return Secret | None, secret_input(label=label, default=None)
    if kind in (FormType.SELECT, FormType.RADIO):
        values = draw(st.lists(_values(), min_size=1, max_size=4, unique=True))
        options = [Option(value, I18n(value)) for value in values]
        default = draw(st.sampled_from([NOTHING, *values]))
        return str, select(label=label, options=options, **_unless_nothing(default))
    specified: tuple[Any, Any] = draw(st.sampled_from(_TEXT_INPUTS))(draw, label)
    return specified


def _shown_texts() -> st.SearchStrategy[str]:
    """Texts that a person could read: not blank, and no control characters."""
    readable = st.characters(exclude_categories=["Cs", "Cc"])
    return st.text(alphabet=readable, min_size=1, max_size=30).filter(str.strip)


def _values() -> st.SearchStrategy[str]:
    return _shown_texts().map(str.strip).filter(lambda text: not text.startswith("SFlCUklE"))


def _unless_nothing(default: Any) -> dict[str, Any]:
    return {} if default is NOTHING else {"default": default}


def _text_input(draw: st.DrawFn, label: I18n) -> tuple[Any, Any]:
    default = draw(st.just(NOTHING) | _values())
    return str, text_input(label=label, **_unless_nothing(default))


def _url_input(draw: st.DrawFn, label: I18n) -> tuple[Any, Any]:
    return str, text_input(label=label, converter=http_url(without=("/v1",)))


def _whole_input(draw: st.DrawFn, label: I18n) -> tuple[Any, Any]:
    default = draw(st.just(NOTHING) | st.integers(0, 10))
    return int, text_input(label=label, validator=between(0, 10), **_unless_nothing(default))


def _number_input(draw: st.DrawFn, label: I18n) -> tuple[Any, Any]:
    return float | None, text_input(
        label=label, validator=gt(0), default=draw(st.none() | st.floats(0.5, 1e6))
    )


_TEXT_INPUTS = (_text_input, _url_input, _whole_input, _number_input)
