"""What Dify's server makes of the credentials that a dialog sends, up to the plugin's own check.

Source: ``CommonValidator`` of graphon, ``ProviderConfiguration`` of Dify's API. The tests run
graphon's validator beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from xinfer.spec.form import MODEL_TYPE, FormField, FormType

HIDDEN = "[__HIDDEN__]"
"""What the browser sends for a secret that the user did not change."""


@frozen
class Received:
    """What reaches the plugin, or why nothing does.

    :param values: by variable; a switch that is on arrives as ``True``.
    :param dropped: why a value that was sent does not arrive, by variable.
    :param error: the server's refusal; the plugin is not called then.
    """

    values: Mapping[str, Any] = field(factory=dict)
    dropped: Mapping[str, str] = field(factory=dict)
    error: str | None = None


class _Refused(Exception):
    """The server answers with this text."""


def receive(
    fields: Sequence[FormField],
    sent: Mapping[str, Any],
    *,
    model_type: str | None,
    stored: Mapping[str, str] | None = None,
) -> Received:
    """Validate and filter what the browser sent.

    :param model_type: of the dialog's model; ``None`` in the provider's dialog.
    :param stored: the credential being edited; ``None`` for a new one.
    """
    raw = {
        name: stored[name] if value == HIDDEN and stored and name in stored else value
        for name, value in sent.items()
    }
    if model_type is not None:
        raw[MODEL_TYPE] = model_type
    # Of two entries of one variable the last whose conditions hold counts.
    visible = {entry.variable: entry for entry in fields if conditions_hold(entry, raw)}
    values: dict[str, Any] = {}
    dropped = {
        entry.variable: "its show_on does not match"
        for entry in fields
        if entry.variable in raw and entry.variable not in visible
    }
    try:
        for variable, entry in visible.items():
            value = _accepted(entry, raw.get(variable))
            if value:
                values[variable] = value
            elif variable in raw:
                dropped[variable] = "empty values are left out"
    except _Refused as refusal:
        return Received(error=str(refusal))
    return Received(values, dropped)


def conditions_hold(entry: FormField, values: Mapping[str, Any]) -> bool:
    """Return whether every ``show_on`` condition holds; web client and server both ask this."""
    return all(values.get(condition.variable) == condition.value for condition in entry.show_on)


def _accepted(entry: FormField, value: Any) -> Any:
    """Validate one value; what is missing becomes the default, unless it is required."""
    variable = entry.variable
    if not value:
        # Neither the SDK nor graphon takes an absent ``required`` for false.
        if entry.required is not False:
            raise _Refused(f"Variable {variable} is required")
        return entry.default or None
    if not isinstance(value, str):
        raise _Refused(f"Variable {variable} should be string")
    if entry.max_length and len(value) > entry.max_length:
        limit = entry.max_length
        raise _Refused(f"Variable {variable} length should not be greater than {limit}")
    choices = [option.value for option in entry.options]
    if entry.type in (FormType.SELECT, FormType.RADIO) and choices and value not in choices:
        raise _Refused(f"Variable {variable} is not in options")
    if entry.type is FormType.SWITCH:
        if value.lower() not in ("true", "false"):
            raise _Refused(f"Variable {variable} should be true or false")
        return value.lower() == "true"
    return value
