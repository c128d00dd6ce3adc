"""The values of a dialog's form, and what the browser sends of them.

A state is the list of edits since the dialog opened, so that what depends on their order (a
parent's change that resets its children, a secret that was visible once) follows from replaying
them.

Source: Dify's ``use-model-form-schemas`` and ``use-get-form-values``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import frozen

from xinfer.preview.profiles import Profile
from xinfer.preview.submission import HIDDEN, conditions_hold
from xinfer.spec import Project
from xinfer.spec.form import MODEL_NAME, MODEL_TYPE, FormField, FormType

type Kind = Literal["add", "edit", "provider"]


@frozen(kw_only=True)
class State:
    """What the user has done in a dialog.

    :param edits: variables and their new values, the oldest first; ``__model_type`` and
        ``__model_name`` among them.
    :param stored: the credential being edited, its secrets in clear.
    :param pressed: whether the primary button was pressed.
    """

    dialog: Kind = "add"
    edits: tuple[tuple[str, str], ...] = ()
    stored: Mapping[str, str] | None = None
    pressed: bool = False


@frozen
class Unmet:
    """A condition that keeps a field hidden, and the value that is there instead."""

    variable: str
    wanted: str
    present: str | None


@frozen
class Form:
    """The values of a form once every edit was made.

    :param seen: variables that were visible at some time.
    """

    fields: Sequence[FormField]
    values: dict[str, str]
    touched: set[str]
    seen: set[str]

    @classmethod
    def replay(
        cls, fields: Sequence[FormField], project: Project, profile: Profile, state: State
    ) -> Form:
        """Open the form and make every edit."""
        values = {entry.variable: _initial(entry, profile, state) for entry in fields}
        if state.dialog != "provider":
            types = project.provider.supported_model_types
            first = types[0] if profile.type_preselected and types else ""
            stored = state.stored or {}
            values |= {
                MODEL_TYPE: stored.get(MODEL_TYPE, str(first)),
                MODEL_NAME: stored.get(MODEL_NAME, ""),
            }
        form = cls(fields, values, set(), set())
        form._look()
        for variable, value in state.edits:
            values[variable] = value
            form.touched.add(variable)
            if profile.resets:
                for entry in fields:
                    if any(condition.variable == variable for condition in entry.show_on):
                        values[entry.variable] = entry.default or ""
            form._look()
        return form

    def _look(self) -> None:
        self.seen.update(
            entry.variable for entry in self.fields if conditions_hold(entry, self.values)
        )

    def submission(self, profile: Profile) -> dict[str, str]:
        """Collect what the browser sends: hidden fields too, untouched secrets as a mark."""
        secrets = {e.variable for e in self.fields if e.type is FormType.SECRET_INPUT}
        names = list(dict.fromkeys(entry.variable for entry in self.fields))
        if profile.sends_model_name and MODEL_NAME in self.values:
            names.append(MODEL_NAME)
        return {
            name: HIDDEN
            if name in secrets - self.touched and name in self.seen and self.values[name]
            else self.values[name]
            for name in names
        }

    def unmet(self, entry: FormField) -> tuple[Unmet, ...]:
        """List the conditions of an entry that do not hold."""
        return tuple(
            Unmet(condition.variable, condition.value, self.values.get(condition.variable))
            for condition in entry.show_on
            if self.values.get(condition.variable) != condition.value
        )


def _initial(entry: FormField, profile: Profile, state: State) -> str:
    if state.stored is not None and entry.variable in state.stored:
        value = state.stored[entry.variable]
        return mask(value) if entry.type is FormType.SECRET_INPUT else value
    return (entry.default or "") if profile.prefills else ""


def mask(secret: str) -> str:
    """Hide a stored secret as Dify's API does before it sends it to the browser."""
    return "*" * 20 if len(secret) <= 8 else f"{secret[:6]}{'*' * 12}{secret[-2:]}"
