"""The plugin, as ``manifest.yaml`` describes it."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from attrs import frozen

from xinfer.spec.declaration import Declaration
from xinfer.spec.i18n import I18n

MEBIBYTE = 1024 * 1024

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
"""A time that Go reads from a text (RFC 3339, section 5.6)."""


class Timestamp(str):
    """A time without quotes in the YAML, with more digits than a ``datetime`` has."""

    __slots__ = ()


class PluginType(StrEnum):
    """What Dify installs; xinfer makes no bundles."""

    PLUGIN = "plugin"


class Arch(StrEnum):
    """The processors that a plugin runs on."""

    AMD64 = "amd64"
    ARM64 = "arm64"


class Language(StrEnum):
    """The languages that a plugin is written in."""

    PYTHON = "python"


class Tag(StrEnum):
    """The marketplace's categories; the daemon packs a plugin with no others."""

    SEARCH = "search"
    IMAGE = "image"
    VIDEOS = "videos"
    WEATHER = "weather"
    FINANCE = "finance"
    DESIGN = "design"
    TRAVEL = "travel"
    SOCIAL = "social"
    NEWS = "news"
    MEDICAL = "medical"
    PRODUCTIVITY = "productivity"
    EDUCATION = "education"
    BUSINESS = "business"
    ENTERTAINMENT = "entertainment"
    UTILITIES = "utilities"
    AGENT = "agent"
    RAG = "rag"
    OTHER = "other"
    TRIGGER = "trigger"


@frozen(kw_only=True)
class Allowed(Declaration):
    """A permission, granted or not."""

    enabled: bool = False


@frozen(kw_only=True)
class ModelPermission(Declaration):
    """The permission to call the workspace's models, by type."""

    enabled: bool = False
    llm: bool = False
    text_embedding: bool = False
    rerank: bool = False
    tts: bool = False
    speech2text: bool = False
    moderation: bool = False


@frozen(kw_only=True)
class StoragePermission(Declaration):
    """The permission to store data.

    :param size: 1,024 to 1,073,741,824 bytes, checked even if the permission is not granted.
    """

    enabled: bool = False
    size: int = MEBIBYTE


@frozen(kw_only=True)
class Permission(Declaration):
    """What the plugin may use of Dify; Dify grants a model plugin nothing, so leave it out."""

    tool: Allowed | None = None
    model: ModelPermission | None = None
    node: Allowed | None = None
    endpoint: Allowed | None = None
    app: Allowed | None = None
    storage: StoragePermission | None = None


@frozen(kw_only=True)
class Resource(Declaration):
    """What the plugin needs.

    :param memory: bytes, not zero; the daemon does not enforce it.
    """

    memory: int = 256 * MEBIBYTE
    permission: Permission | None = None


@frozen(kw_only=True)
class Extensions(Declaration):
    """The files that declare what the plugin adds, by kind.

    :param models: a plugin with models can add nothing else.
    """

    tools: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    agent_strategies: tuple[str, ...] = ()
    datasources: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()


@frozen(kw_only=True)
class Runner(Declaration):
    """How the daemon starts the plugin.

    :param version: not used; the daemon always makes an environment of Python 3.12.
    :param entrypoint: the name of a module (``main``), not of a file.
    """

    language: Language = Language.PYTHON
    version: str = "3.12"
    entrypoint: str = "main"


@frozen(kw_only=True)
class Meta(Declaration):
    """The manifest's own format, and where the plugin runs.

    :param version: of the format, three numbers.
    :param minimum_dify_version: PEP 440; if absent, the build writes the least version that has
        what the plugin uses. Dify marks the plugin if its own version is lower; the daemon does
        not enforce it.
    """

    version: str = "0.0.1"
    arch: tuple[Arch, ...] = (Arch.AMD64, Arch.ARM64)
    runner: Runner = Runner()
    minimum_dify_version: str | None = None


@frozen(kw_only=True)
class Manifest(Declaration):
    """A Dify plugin.

    :param version: three numbers of at most four digits, then nothing or one of ``-beta1``,
        ``-rc1``, ``-alpha2``, ``-dev1``, ``-post1``: what the daemon and the SDK both accept.
    :param author: ``[a-z0-9_-]``, 1 to 64 characters, and not a UUID.
    :param name: ``[a-z0-9_-]``, 1 to 128 characters.
    :param icon: a file in ``_assets``; at most 128 characters; likewise ``icon_dark``.
    :param created_at: a ``datetime`` with a time zone. In YAML also a text in the form of RFC 3339,
        or a :class:`Timestamp` with nanoseconds.
    :param privacy: path of the privacy statement; the marketplace requires it.
    :param repo: URL of the source; the marketplace requires it.
    :param contact: an e-mail address; the marketplace requires it.
    :param plugins: the build fills it in.

    Source: ``PluginDeclaration`` (daemon), ``PluginConfiguration`` (SDK).
    """

    version: str
    type: PluginType = PluginType.PLUGIN
    author: str
    name: str
    label: I18n
    description: I18n
    icon: str
    icon_dark: str | None = None
    created_at: date | str
    resource: Resource = Resource()
    plugins: Extensions = Extensions()
    meta: Meta = Meta()
    tags: tuple[Tag, ...] = ()
    privacy: str | None = None
    repo: str | None = None
    contact: str | None = None
    verified: bool | None = None
