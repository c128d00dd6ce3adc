"""What Dify's daemon demands of a plugin that connects for remote debugging.

It is the only gate where the daemon's rules for providers bite: each declaration arrives as JSON,
is decoded without conversions, and its ``validate`` tags are checked. Lengths count characters.
Source: the daemon's ``model_declaration.go``, ``plugin_declaration.go`` and ``RemapAssets``.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Name = Annotated[str, Field(min_length=1, max_length=255)]
Words = Annotated[str, Field(max_length=1023)]
Short = Annotated[str, Field(max_length=255)]
Version = Annotated[str, Field(pattern=r"^\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?$")]
ModelTypes = Literal[
    "llm",
    "text-embedding",
    "rerank",
    "speech2text",
    "moderation",
    "tts",
    "text2img",
    "multimodal-embedding",
    "multimodal-rerank",
]


class Rules(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class I18n(Rules):
    en_US: Annotated[str, Field(min_length=1, max_length=1023)]
    zh_Hans: Words | None = None
    pt_BR: Words | None = None
    ja_JP: Words | None = None

    def values(self):
        return {self.en_US, self.zh_Hans, self.pt_BR, self.ja_JP} - {None, ""}


class ShowOn(Rules):
    variable: Name
    value: Name


class Option(Rules):
    label: I18n
    value: Name
    show_on: Annotated[list[ShowOn], Field(max_length=16)] | None = None


class FormField(Rules):
    variable: Name
    label: I18n
    type: Literal["text-input", "secret-input", "select", "radio", "switch"]
    required: bool = False
    default: Short | None = None
    options: Annotated[list[Option], Field(max_length=128)] | None = None
    placeholder: I18n | None = None
    max_length: int | None = None
    show_on: Annotated[list[ShowOn], Field(max_length=16)] | None = None


Form = Annotated[list[FormField], Field(max_length=32)]


class ProviderSchema(Rules):
    credential_form_schemas: Form | None = None


class FieldModel(Rules):
    label: I18n
    placeholder: I18n | None = None


class ModelSchema(ProviderSchema):
    model: FieldModel


class Help(Rules):
    title: I18n
    url: I18n


class Provider(Rules):
    provider: Name
    label: I18n
    description: I18n | None = None
    icon_small: I18n | None = None
    icon_large: I18n | None = None
    icon_small_dark: I18n | None = None
    icon_large_dark: I18n | None = None
    background: str | None = None
    help: Help | None = None
    supported_model_types: Annotated[list[ModelTypes], Field(max_length=16)]
    configurate_methods: Annotated[
        list[Literal["predefined-model", "customizable-model"]], Field(max_length=16)
    ]
    provider_credential_schema: ProviderSchema | None = None
    model_credential_schema: ModelSchema | None = None
    models: list[dict] | dict | None
    """The key must be there."""

    def icons(self):
        icons = (self.icon_small, self.icon_large, self.icon_small_dark, self.icon_large_dark)
        return {name for icon in icons if icon for name in icon.values()}


class Resource(Rules):
    memory: Annotated[int, Field(gt=0)]
    permission: dict | None = None


class Runner(Rules):
    language: Literal["python"]
    version: Annotated[str, Field(min_length=1, max_length=128)]
    entrypoint: Annotated[str, Field(min_length=1, max_length=256)]


class Meta(Rules):
    version: Version
    arch: list[Literal["amd64", "arm64"]]
    runner: Runner
    minimum_dify_version: str | None = None


class Plugins(Rules):
    models: Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1)]


class Manifest(Rules):
    version: Version
    type: Literal["plugin"]
    author: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,128}$")]
    label: I18n
    description: I18n
    icon: Annotated[str, Field(min_length=1, max_length=128)]
    icon_dark: Annotated[str, Field(max_length=128)] | None = None
    resource: Resource
    plugins: Plugins
    meta: Meta
    created_at: Annotated[
        str, Field(pattern=r"^\d{4}(-\d\d){2}T\d\d(:\d\d){2}(\.\d+)?(Z|[+-]\d\d:\d\d)$")
    ]
    repo: Annotated[str, Field(pattern=r"^[a-z]+://.+")] | None = None


def broken(manifest, provider, assets):
    """Return the rules that a declaration breaks, each with its place; none when it is taken."""
    faults, icons = [], set()
    for rules, declared in ((Manifest, manifest), (Provider, provider)):
        try:
            read = rules.model_validate(declared)
        except ValidationError as error:
            faults += [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        else:
            icons |= read.icons() if rules is Provider else {read.icon, read.icon_dark} - {None, ""}
    return faults + [f"{icon}: not among the assets" for icon in sorted(icons - set(assets))]
