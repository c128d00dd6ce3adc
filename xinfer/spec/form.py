"""The credential form as Dify renders it: fields, options and when they are shown."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from xinfer.spec.declaration import Declaration
from xinfer.spec.i18n import I18n


class FormType(StrEnum):
    """The five inputs that Dify's credential form knows."""

    TEXT_INPUT = "text-input"
    SECRET_INPUT = "secret-input"  # noqa: S105 (the name of an input, not a secret)
    SELECT = "select"
    RADIO = "radio"
    SWITCH = "switch"


@frozen
class ShowOn(Declaration):
    """Show a field, or an option, only while another field has this value.

    All conditions must hold; values compare exactly. ``__model_type`` stands for the model type
    chosen in the dialog, by its value (``llm``).
    """

    variable: str
    value: str


@frozen
class Option(Declaration):
    """One choice of a select or radio.

    :param value: what is stored, 1 to 255 characters.
    :param label: what is shown.
    :param show_on: at most 16 conditions.
    """

    value: str
    label: I18n
    show_on: tuple[ShowOn, ...] = field(default=(), kw_only=True)


@frozen(kw_only=True)
class FormField(Declaration):
    """One input of a credential form, as it stands in the YAML.

    :param variable: the key in the credentials, 1 to 255 characters.
    :param required: say it: its absence means false to the daemon and true to the SDK.
    :param default: a string, whatever the type; shorter than 256 characters.
    :param options: at most 128, for select and radio.
    :param max_length: characters; 0 means no limit.
    :param show_on: at most 16 conditions.
    :param help: shown below the field. Lost in remote debugging, where the SDK drops it.
    :param url: a link beside the help; dropped there too.

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
    """The form of a provider: at most 32 fields."""

    credential_form_schemas: tuple[FormField, ...]


@frozen(kw_only=True)
class ModelName(Declaration):
    """How Dify asks for the name of a customizable model."""

    label: I18n
    placeholder: I18n | None = None


@frozen(kw_only=True)
class ModelCredentialSchema(Declaration):
    """The form of a customizable model: Dify asks its type and name itself, then these fields."""

    model: ModelName
    credential_form_schemas: tuple[FormField, ...]
