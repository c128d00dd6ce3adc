"""The credential form as Dify shows it: fields, options and their conditions."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from xinfer.spec.declaration import Declaration
from xinfer.spec.i18n import I18n

MODEL_TYPE, MODEL_NAME = "__model_type", "__model_name"
"""The variables under which Dify's dialog holds the type and the name of a customizable model."""


class FormType(StrEnum):
    """The five inputs of Dify's credential form."""

    TEXT_INPUT = "text-input"
    SECRET_INPUT = "secret-input"  # noqa: S105 (the name of an input, not a secret)
    SELECT = "select"
    RADIO = "radio"
    SWITCH = "switch"


@frozen
class ShowOn(Declaration):
    """A condition for a field or an option to be shown: another field has this value.

    All conditions must hold; values compare exactly.

    :param variable: of the other field; ``__model_type`` is the model type chosen in the dialog.
    :param value: of the other field, e.g. ``llm``.
    """

    variable: str
    value: str


@frozen
class Option(Declaration):
    """One choice of a select or radio.

    :param value: what Dify stores, 1 to 255 characters.
    :param label: what the form shows.
    :param show_on: at most 16 conditions.
    """

    value: str
    label: I18n
    show_on: tuple[ShowOn, ...] = field(default=(), kw_only=True)


@frozen(kw_only=True)
class FormField(Declaration):
    """One input of a credential form, as the YAML has it.

    :param variable: the key in the credentials, 1 to 255 characters.
    :param required: always give it: if absent, it is false to the daemon and true to the SDK.
    :param default: a string, whatever the type; at most 255 characters.
    :param options: for select and radio, at most 128.
    :param max_length: characters; 0 for no limit.
    :param show_on: at most 16 conditions.
    :param help: a text below the field; the SDK drops it in remote debugging.
    :param url: a link beside the help; the SDK drops it likewise.

    Source: ``ModelProviderCredentialFormSchema`` (daemon), ``CredentialFormSchema`` (SDK).
    """

    variable: str
    label: I18n
    type: FormType
    required: bool | None = None
    default: str | None = None
    options: tuple[Option, ...] = ()
    placeholder: I18n | None = None
    max_length: int = 0
    show_on: tuple[ShowOn, ...] = ()
    help: I18n | None = None
    url: str | None = None


@frozen(kw_only=True)
class CredentialSchema(Declaration):
    """The form of a provider.

    :param credential_form_schemas: at most 32 fields.
    """

    credential_form_schemas: tuple[FormField, ...]


@frozen(kw_only=True)
class ModelName(Declaration):
    """How Dify asks for the name of a customizable model."""

    label: I18n
    placeholder: I18n | None = None


@frozen(kw_only=True)
class ModelCredentialSchema(Declaration):
    """The form of a customizable model: Dify asks for its type and name, then for these fields.

    :param credential_form_schemas: at most 32 fields.
    """

    model: ModelName
    credential_form_schemas: tuple[FormField, ...]
