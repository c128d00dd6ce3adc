"""The dialogs that Dify is known to draw, as data: fields, what a user does, what must come of it.

The pure function and the page in a browser are held to the same list.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from xinfer.spec import (
    ConfigurateMethod,
    Help,
    I18n,
    Manifest,
    ModelType,
    Option,
    Project,
    Provider,
)
from xinfer.spec.form import (
    CredentialSchema,
    FormField,
    FormType,
    ModelCredentialSchema,
    ModelName,
    ShowOn,
)

NAME, TYPE, CREDENTIAL = "__model_name", "__model_type", "__authorization_name__"


def text(variable: str, *, type: FormType = FormType.TEXT_INPUT, **options: Any) -> FormField:
    options.setdefault("required", False)
    show_on = tuple(ShowOn(*pair) for pair in options.pop("show_on", ()))
    options.setdefault("label", I18n(f"{variable} label"))
    return FormField(variable=variable, type=type, show_on=show_on, **options)


def choice(variable: str, *values: str | Option, **options: Any) -> FormField:
    all_options = tuple(v if isinstance(v, Option) else Option(v, I18n(v)) for v in values)
    return text(variable, type=FormType.SELECT, options=all_options, **options)


@frozen(kw_only=True)
class Case:
    """A row of the table.

    :param visible: the variables of the form that are shown, in order.
    :param starred: those of all visible inputs that bear an asterisk.
    :param values: what controls show, by variable.
    :param errors: under which inputs there is one once the button is pressed.
    :param sent: what the browser submits, in part.
    :param received: what the plugin gets, in whole; ``None`` where the server refuses or is not
        asked.
    """

    number: str
    fields: tuple[FormField, ...]
    edits: tuple[tuple[str, str], ...] = ()
    profile: str = "current"
    language: str = "en-US"
    dialog: str = "add"
    stored: dict[str, str] | None = None
    visible: tuple[str, ...]
    starred: tuple[str, ...] | None = None
    order: tuple[str, ...] | None = None
    values: dict[str, str] = field(factory=dict)
    errors: tuple[str, ...] = ()
    sent: dict[str, str] = field(factory=dict)
    received: dict[str, Any] | None = None
    refusal: str | None = None


def project(case: Case) -> Project:
    """Make the provider of a case: two model types, and the form in both dialogs."""
    return Project(
        manifest=Manifest(
            name="case",
            version="0.0.1",
            author="tests",
            label=I18n("E", ja_JP="J"),
            description=I18n("D"),
            icon="icon.svg",
            created_at=datetime(2026, 1, 31, tzinfo=UTC),
        ),
        provider=Provider(
            provider="case",
            label=I18n("E", ja_JP="J", pt_BR="P"),
            help=Help(title=I18n("Get your key"), url=I18n("https://example.com/")),
            icon_small=I18n("icon.svg"),
            supported_model_types=(ModelType.LLM, ModelType.RERANK),
            configurate_methods=(
                ConfigurateMethod.PREDEFINED_MODEL,
                ConfigurateMethod.CUSTOMIZABLE_MODEL,
            ),
            provider_credential_schema=CredentialSchema(credential_form_schemas=case.fields),
            model_credential_schema=ModelCredentialSchema(
                model=ModelName(label=I18n("Model Name")), credential_form_schemas=case.fields
            ),
        ),
    )


ON_LLM = ((TYPE, "llm"),)
FRESH = (
    text("ctx", required=True, default="4096", show_on=ON_LLM),
    text("url", required=True),
)
KEY = text("key", type=FormType.SECRET_INPUT, default="EMPTY")
PARENT = choice("p", "on", "off", default="on")
OWN = (NAME, TYPE, CREDENTIAL)


def llm(*edits: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return ((NAME, "m"), (TYPE, "llm"), *edits)


def rerank(*edits: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return ((NAME, "m"), (TYPE, "rerank"), *edits)


CASES = (
    Case(
        number="1",
        fields=FRESH,
        visible=("url",),
        starred=(NAME, TYPE, "url"),
        order=(NAME, TYPE, CREDENTIAL, "url"),
        values={TYPE: ""},
        errors=(NAME, TYPE, "url"),
    ),
    Case(
        number="2",
        fields=FRESH,
        edits=llm(("url", "u")),
        visible=("ctx", "url"),
        values={"ctx": "4096"},
        received={"ctx": "4096", "url": "u"},
    ),
    Case(
        number="3",
        fields=FRESH,
        edits=rerank(("url", "u")),
        visible=("url",),
        sent={"ctx": "4096"},
        received={"url": "u"},
    ),
    Case(
        number="4",
        fields=(text("ctx", required=True, show_on=ON_LLM),),
        edits=llm(),
        visible=("ctx",),
        errors=("ctx",),
    ),
    Case(
        number="5",
        fields=FRESH,
        profile="legacy",
        visible=("ctx", "url"),
        order=(TYPE, NAME, "ctx", "url"),
        values={TYPE: "llm", "ctx": "4096"},
        errors=(NAME, "url"),
    ),
    Case(
        number="6",
        fields=FRESH,
        profile="1.8.0",
        edits=((CREDENTIAL, "c"), *llm(("url", "u"))),
        visible=("ctx", "url"),
        starred=(CREDENTIAL, TYPE, NAME, "ctx", "url"),
        order=(CREDENTIAL, TYPE, NAME, "ctx", "url"),
        values={"ctx": ""},
        errors=("ctx",),
    ),
    Case(
        number="7",
        fields=(KEY,),
        edits=llm(),
        visible=("key",),
        values={"key": "EMPTY"},
        sent={"key": "[__HIDDEN__]"},
        received={"key": "[__HIDDEN__]"},
    ),
    Case(
        number="8",
        fields=(text("key", type=FormType.SECRET_INPUT, default="EMPTY", show_on=ON_LLM),),
        edits=rerank(),
        visible=(),
        sent={"key": "EMPTY"},
        received={},
    ),
    Case(
        number="9",
        fields=(text("key", type=FormType.SECRET_INPUT, required=True),),
        dialog="edit",
        stored={TYPE: "llm", NAME: "m", "key": "sk-0123456789"},
        visible=("key",),
        values={"key": "sk-012************89"},
        sent={"key": "[__HIDDEN__]"},
        received={"key": "sk-0123456789"},
    ),
    Case(
        number="10",
        fields=(text("url", default="d"),),
        dialog="edit",
        stored={TYPE: "llm", NAME: "m"},
        visible=("url",),
        values={"url": "d"},
        received={"url": "d"},
    ),
    Case(
        number="11",
        fields=(text("t", default="d"),),
        edits=llm(("t", "")),
        visible=("t",),
        values={"t": ""},
        sent={"t": ""},
        received={"t": "d"},
    ),
    Case(
        number="12",
        fields=(text("t", required=True),),
        edits=llm(("t", " ")),
        visible=("t",),
        received={"t": " "},
    ),
    Case(
        number="13",
        fields=(PARENT, text("c", show_on=(("p", "on"),))),
        edits=llm(("c", "x"), ("p", "off"), ("p", "on")),
        visible=("p", "c"),
        values={"c": "x"},
        received={"p": "on", "c": "x"},
    ),
    Case(
        number="13-legacy",
        fields=(PARENT, text("c", default="d", show_on=(("p", "on"),))),
        profile="legacy",
        edits=llm(("c", "x"), ("p", "off"), ("p", "on")),
        visible=("p", "c"),
        values={"c": "d"},
        received={"p": "on", "c": "d"},
    ),
    Case(
        number="14",
        fields=(
            choice("g", "1", "2", default="1"),
            choice("p", "on", "off", default="on", show_on=(("g", "1"),)),
            text("c", show_on=(("p", "on"),)),
        ),
        edits=llm(("c", "x"), ("g", "2")),
        visible=("g", "c"),
        received={"g": "2", "c": "x"},
    ),
    Case(
        number="15",
        fields=(text("c", required=True, show_on=((TYPE, "llm"), (TYPE, "rerank"))),),
        edits=llm(),
        visible=(),
        received={},
    ),
    Case(
        number="16",
        fields=(text("c", default="d", show_on=((NAME, "gpt"),)),),
        edits=((TYPE, "llm"), (NAME, "gpt")),
        visible=("c",),
        received={"c": "d"},
    ),
    Case(
        number="16-prefix",
        fields=(text("c", default="d", show_on=((NAME, "gpt"),)),),
        edits=((TYPE, "llm"), (NAME, "GPT")),
        visible=(),
        received={},
    ),
    Case(
        number="16-legacy",
        fields=(text("c", default="d", show_on=((NAME, "gpt"),)),),
        profile="legacy",
        edits=((NAME, "gpt"),),
        visible=("c",),
        received={},
    ),
    Case(
        number="17",
        fields=(text("c", required=True, show_on=(("unknown", "x"),)),),
        edits=llm(),
        visible=(),
        received={},
    ),
    Case(
        number="18",
        fields=(text("c", default="d", show_on=ON_LLM),),
        dialog="provider",
        visible=(),
        received={},
    ),
    Case(
        number="19",
        fields=(text("s", type=FormType.SWITCH, required=True),),
        edits=llm(),
        visible=("s",),
        starred=(NAME, TYPE, "s"),
        errors=("s",),
    ),
    Case(
        number="20",
        fields=(choice("m", "chat", "completion", required=True, default="Chat"),),
        edits=llm(),
        visible=("m",),
        values={"m": ""},
        sent={"m": "Chat"},
        refusal="Variable m is not in options",
    ),
    Case(
        number="21",
        fields=(choice("m", "a", Option("b", I18n("b"), show_on=(ShowOn(TYPE, "llm"),))),),
        edits=llm(("m", "b"), (TYPE, "rerank")),
        visible=("m",),
        values={"m": ""},
        sent={"m": "b"},
        received={"m": "b"},
    ),
    Case(
        number="22",
        fields=(
            text("v", label=I18n("A"), required=True, show_on=ON_LLM),
            text("v", label=I18n("B"), default="d", show_on=((TYPE, "rerank"),)),
        ),
        edits=rerank(("v", "")),
        visible=("v",),
        starred=(NAME, TYPE, "v"),
        sent={"v": ""},
        received={"v": "d"},
    ),
)
"""Cases 1 to 22 of the table; 23 is about languages, 24 and 25 about parameters."""
