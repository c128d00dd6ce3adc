"""The dialogs in which users enter credentials: what they show, and what the browser sends.

Source: Dify's ``use-model-form-schemas``, ``base-form``, ``base-field``, ``use-get-form-values``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from attrs import field, frozen

from xinfer.preview.form import Form, State, Unmet
from xinfer.preview.language import interface_text, provider_text
from xinfer.preview.profiles import Profile
from xinfer.preview.submission import HIDDEN, Received, receive
from xinfer.spec import ModelType, Project
from xinfer.spec.form import MODEL_NAME, MODEL_TYPE, FormField, FormType, Option

CREDENTIAL_NAME = "__authorization_name__"
TYPE_NAMES: Mapping[str, str] = {
    ModelType.LLM: "LLM",
    ModelType.TEXT_EMBEDDING: "Text Embedding",
    ModelType.RERANK: "Rerank",
    ModelType.SPEECH2TEXT: "Speech2text",
    ModelType.MODERATION: "Moderation",
    ModelType.TTS: "TTS",
}
"""What Dify's dialog calls the model types, in every language."""


@frozen(kw_only=True)
class Field:
    """One input of the dialog, from the screen to the plugin.

    :param index: its place in the form's list; ``None`` for Dify's own inputs.
    :param control: what is drawn; ``none`` is a label without a control.
    :param unmet: the conditions that hide it; empty for a visible field.
    :param sent: what the browser submits; ``None`` for nothing.
    :param received: what the plugin gets, as text for people; ``None`` for nothing.
    :param note: why what is received differs from what is shown.
    """

    variable: str
    label: str
    control: Literal["text", "password", "select", "radio", "none"]
    index: int | None = None
    required: bool = False
    value: str = ""
    placeholder: str = ""
    options: tuple[tuple[str, str], ...] = ()
    unmet: tuple[Unmet, ...] = ()
    error: str | None = None
    sent: str | None = None
    received: str | None = None
    note: str = ""

    @property
    def visible(self) -> bool:
        """Whether the dialog shows it."""
        return not self.unmet


@frozen(kw_only=True)
class Dialog:
    """A dialog as Dify draws it in one state.

    :param fields: visible and hidden ones, from top to bottom.
    :param enabled: whether the button can be pressed.
    :param saved: whether it was pressed and the browser sent the form.
    """

    title: str
    button: str
    enabled: bool
    fields: tuple[Field, ...]
    help_text: str
    help_url: str
    saved: bool
    received: Received = field(factory=Received)


def dialog(project: Project, profile: Profile, language: str, state: State) -> Dialog | None:
    """Compute a dialog; ``None`` if the provider has none of its kind."""
    provider = project.provider
    schema = (
        provider.provider_credential_schema
        if state.dialog == "provider"
        else provider.model_credential_schema
    )
    if schema is None:
        return None
    form = Form.replay(schema.credential_form_schemas, project, profile, state)
    sent = form.submission(profile)
    model_type = None if state.dialog == "provider" else form.values.get(MODEL_TYPE, "")
    received = receive(form.fields, sent, model_type=model_type, stored=state.stored)
    inputs = (
        *_own_inputs(project, profile, language, state, form),
        *_inputs(form, profile, language, state, sent, received),
    )
    return Dialog(
        title=interface_text(state.dialog, language),
        button=interface_text("add button" if state.dialog == "add" else "save button", language),
        # The oldest dialog locks its button; later ones explain what is missing.
        enabled=not profile.resets
        or all(entry.value for entry in inputs if entry.required and entry.visible),
        fields=inputs,
        help_text=_help(project, language)[0],
        help_url=_help(project, language)[1],
        saved=state.pressed and not any(entry.error for entry in inputs),
        received=received,
    )


def _inputs(
    form: Form,
    profile: Profile,
    language: str,
    state: State,
    sent: Mapping[str, str],
    received: Received,
) -> Iterator[Field]:
    """Yield the form's own inputs; entries that share a variable are one input.

    Such an input looks like the first entry, is shown when any is, and is checked like the visible
    one.
    """
    entries: dict[str, list[tuple[int, FormField]]] = {}
    for index, entry in enumerate(form.fields):
        entries.setdefault(entry.variable, []).append((index, entry))
    for variable, same in entries.items():
        index, first = same[0]
        visible = [entry for _, entry in same if not form.unmet(entry)]
        label = provider_text(first.label, language)
        value = form.values[variable]
        missing = any(entry.required for entry in visible) and not value
        yield Field(
            variable=variable,
            index=index,
            label=label,
            control=_CONTROLS[first.type],
            required=bool(first.required),
            value=_drawn(first, value, form),
            placeholder=_placeholder(first, profile, language),
            options=tuple(
                (option.value, provider_text(option.label, language))
                for option in _offered(first, form)
            ),
            unmet=() if visible else form.unmet(first),
            error=interface_text("required", language, label=label)
            if state.pressed and missing
            else None,
            sent=sent.get(variable),
            received=_readable(received.values.get(variable)),
            note=_note(first, variable, form, sent, received),
        )


_CONTROLS: Mapping[FormType, Literal["text", "password", "select", "radio", "none"]] = {
    FormType.TEXT_INPUT: "text",
    FormType.SECRET_INPUT: "password",
    FormType.SELECT: "select",
    FormType.RADIO: "radio",
    FormType.SWITCH: "none",
}


def _drawn(entry: FormField, value: str, form: Form) -> str:
    """Return the value that the control shows: a choice outside its options shows nothing."""
    if not entry.options:
        return value
    return value if value in (option.value for option in _offered(entry, form)) else ""


def _offered(entry: FormField, form: Form) -> list[Option]:
    """List the options whose conditions hold."""
    return [
        option
        for option in entry.options
        if all(form.values.get(c.variable) == c.value for c in option.show_on)
    ]


def _placeholder(entry: FormField, profile: Profile, language: str) -> str:
    if entry.placeholder is not None:
        return provider_text(entry.placeholder, language)
    return interface_text("placeholder", language) if profile.fills_placeholder else ""


def _note(
    entry: FormField, variable: str, form: Form, sent: Mapping[str, str], received: Received
) -> str:
    value = received.values.get(variable)
    if value == HIDDEN:
        return "The plugin receives this mark instead of the default: leave the default out."
    if variable in received.dropped and sent.get(variable):
        return f"Sent and dropped by the server: {received.dropped[variable]}."
    if variable in form.touched and not sent.get(variable) and value == entry.default and value:
        return "The server puts the default back: this field cannot be emptied."
    if isinstance(value, str) and value and not value.strip():
        return "A blank passes as a value."
    return ""


def _readable(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else repr(value)


def _own_inputs(
    project: Project, profile: Profile, language: str, state: State, form: Form
) -> Iterator[Field]:
    """Yield the inputs that Dify adds: credential name, model type, model name."""
    parts = profile.order if state.dialog == "add" else ("credential_name",)
    inputs = {
        "name": lambda: _name_input(project, language, form, state),
        "type": lambda: _type_input(project, profile, language, form, state),
        "credential_name": lambda: _credential_name_input(profile, language, form, state),
    }
    for part in parts:
        if part in inputs:
            yield inputs[part]()


def _name_input(project: Project, language: str, form: Form, state: State) -> Field:
    schema = project.provider.model_credential_schema
    model = schema.model if schema else None
    label = provider_text(model.label if model else None, language)
    label = label or interface_text("model name", language)
    placeholder = provider_text(model.placeholder if model else None, language)
    return _own(
        MODEL_NAME,
        label,
        form,
        state,
        language,
        placeholder=placeholder or interface_text("model name placeholder", language),
    )


def _type_input(
    project: Project, profile: Profile, language: str, form: Form, state: State
) -> Field:
    types = project.provider.supported_model_types
    return _own(
        MODEL_TYPE,
        interface_text("model type", language),
        form,
        state,
        language,
        control=profile.type_control,
        placeholder=interface_text("placeholder", language),
        options=tuple((str(kind), TYPE_NAMES.get(kind, str(kind))) for kind in types),
    )


def _credential_name_input(profile: Profile, language: str, form: Form, state: State) -> Field:
    return _own(
        CREDENTIAL_NAME,
        interface_text("credential name", language),
        form,
        state,
        language,
        required=profile.credential_name_required,
        placeholder=interface_text("placeholder", language),
    )


def _own(
    variable: str,
    label: str,
    form: Form,
    state: State,
    language: str,
    *,
    control: Literal["text", "select", "radio"] = "text",
    required: bool = True,
    placeholder: str = "",
    options: tuple[tuple[str, str], ...] = (),
) -> Field:
    value = form.values.get(variable, "")
    missing = state.pressed and required and not value
    return Field(
        variable=variable,
        label=label,
        control=control,
        required=required,
        value=value,
        placeholder=placeholder,
        options=options,
        error=interface_text("required", language, label=label) if missing else None,
        sent=value,
    )


def _help(project: Project, language: str) -> tuple[str, str]:
    help_ = project.provider.help
    if help_ is None:
        return "", ""
    title, url = provider_text(help_.title, language), provider_text(help_.url, language)
    return title or url, url
