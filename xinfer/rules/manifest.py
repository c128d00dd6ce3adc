"""Rules of the manifest: identity, texts, resources, and how the plugin is started."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime

from packaging.version import InvalidVersion, Version

from xinfer.plugin.plugin import MANIFEST, Form, Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, rule
from xinfer.spec import I18n, Manifest, Meta, Permission, Resource, Runner, StoragePermission
from xinfer.spec.manifest import RFC3339

_THREE_NUMBERS = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(-\w{1,16})?", re.ASCII)
_AUTHOR = re.compile(r"[a-z0-9_-]{1,64}")
_NAME = re.compile(r"[a-z0-9_-]{1,128}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_LONGEST_TEXT = 1023
_LONGEST_PATH = 128
_IDENTIFIER = 255
_CHECKSUM = 67
"""Characters that the identifier holds beside author, name and version."""
_SMALL_MEMORY, _LARGE_MEMORY = 1024**2, 64 * 1024**3
_SMALL_STORAGE, _LARGE_STORAGE = 1024, 1024**3
_OTHER_KINDS = ("tools", "endpoints", "agent_strategies", "datasources", "triggers")
_DECLARATION = "daemon pkg/entities/plugin_entities/plugin_declaration.go"


@rule(
    "XI101",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon pkg/entities/manifest_entities/version.go: VERSION_PATTERN",
    bad=("version: «'1.2'»", "version: «1.2.3rc1»", "version: «10000.0.0»"),
    good=("version: 1.2.3", "version: 9999.0.0-rc1"),
    fix="Write three numbers of at most four digits, then nothing or a word such as -beta1.",
)
def version_form(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The plugin's version is not three numbers and at most one word."""
    if not _THREE_NUMBERS.fullmatch(manifest.version):
        yield Problem(f"the version {manifest.version!r} is not of the form 1.2.3", at="version")


@rule(
    "XI122",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/entities/plugin/setup.py: PluginConfiguration.validate_version",
    bad=("version: «1.2.3-hotfix»",),
    good=("version: 1.2.3-post1",),
    fix="Use one of -alpha1, -beta1, -rc1, -dev1 and -post1 behind the numbers, or nothing.",
)
def version_word(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The word behind the plugin's version is unknown to PEP 440.

    The daemon takes any word of up to 16 letters; the SDK reads the version with `packaging`.
    """
    version = manifest.version
    if _THREE_NUMBERS.fullmatch(version) and not _is_pep440(version):
        yield Problem(f"the version {version!r} does not follow PEP 440", at="version")


@rule(
    "XI102",
    Severity.REFUSED,
    Stage.UPLOAD,
    source=f"{_DECLARATION}: ManifestValidate; identity.go: RemoteLike",
    bad=(
        "author: «Some.One»",
        f"author: «{'a' * 65}»",
        "author: «6f9619ff-8b86-d011-b42d-00c04fc964ff»",
    ),
    good=("author: some-one_2", f"author: {'a' * 64}"),
    fix="Use 1 to 64 of a-z, 0-9, _ and -, and no UUID.",
)
def author_form(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The author's name has characters that identifiers do not have, or is a UUID.

    Packing does not look at it. A UUID marks a plugin that is connected for remote debugging.
    """
    if not _AUTHOR.fullmatch(manifest.author):
        yield Problem(f"the author {manifest.author!r} does not fit an identifier", at="author")
    elif _is_uuid(manifest.author):
        yield Problem(f"the author {manifest.author!r} is a UUID", at="author")


@rule(
    "XI103",
    Severity.REFUSED,
    Stage.UPLOAD,
    source=f"{_DECLARATION}: ManifestValidate",
    bad=("name: «My Plugin»", f"name: «{'n' * 129}»"),
    good=("name: my-plugin_2", f"name: {'n' * 128}"),
    fix="Use 1 to 128 of a-z, 0-9, _ and -.",
)
def name_form(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The plugin's name has characters that identifiers do not have.

    Packing only looks at its length.
    """
    if not _NAME.fullmatch(manifest.name):
        yield Problem(f"the name {manifest.name!r} does not fit an identifier", at="name")


@rule(
    "XI104",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon pkg/entities/plugin_entities/basic_type.go: I18nObject",
    bad=(
        "description:\n  en_US: «''»\n",
        f"description:\n  en_US: «{'x' * 1024}»\n",
        f"label:\n  ja_JP: «{'x' * 1024}»\n",
    ),
    good=(f"description:\n  en_US: {'x' * 1023}\n",),
    fix="Write 1 to 1023 characters.",
)
def text_length(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The plugin's label or description is empty or too long."""
    for name in ("label", "description"):
        texts: I18n = getattr(manifest, name)
        if not texts.en_US:
            yield Problem(f"the English {name} is empty", at=f"{name}.en_US", of=texts)
        for language in ("en_US", "zh_Hans", "ja_JP", "pt_BR"):
            text = getattr(texts, language)
            if text and len(text) > _LONGEST_TEXT:
                message = (
                    f"the {name} has {len(text)} characters; at most {_LONGEST_TEXT} are allowed"
                )
                yield Problem(message, at=f"{name}.{language}", of=texts)


@rule(
    "XI105",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: PluginExtensions, PluginDeclarationWithoutAdvancedFields",
    bad=({"manifest.yaml": f"icon: «{'i' * 125}.svg»", f"_assets/{'i' * 125}.svg": "<svg/>"},),
    good=({"manifest.yaml": f"icon: {'i' * 124}.svg", f"_assets/{'i' * 124}.svg": "<svg/>"},),
    fix="Use a shorter name.",
)
def path_length(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The path of an icon or of the provider's file has more than 128 characters."""
    paths = {"icon": manifest.icon, "icon_dark": manifest.icon_dark or ""}
    paths |= {f"plugins.models[{i}]": path for i, path in enumerate(manifest.plugins.models)}
    for at, path in paths.items():
        if len(path) > _LONGEST_PATH:
            message = f"the path has {len(path)} characters; at most {_LONGEST_PATH} are allowed"
            yield Problem(message, at=at)


@rule(
    "XI106",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: CreatedAt is a time.Time, decoded by gopkg.in/yaml.v3",
    bad=("created_at: «'2026-01-31'»", "created_at: «2026-01-31 00:00:00+00:00»"),
    good=("created_at: 2026-01-31", "created_at: '2026-01-31T00:00:00Z'"),
    fix=Fix(
        spec="Write datetime(2026, 1, 31, tzinfo=UTC).",
        yaml="Write 2026-01-31T00:00:00Z.",
    ),
)
def creation_time(manifest: Manifest, plugin: Plugin) -> Iterator[Problem]:
    """The time of creation has no time zone, or is not written as RFC 3339 does.

    PyYAML writes a time with its zone as `2026-01-31 00:00:00+00:00`, which Go does not read.
    """
    created_at = manifest.created_at
    if isinstance(created_at, datetime) and created_at.tzinfo is None:
        yield Problem(f"created_at {created_at} has no time zone", at="created_at")
    elif isinstance(created_at, str) and not RFC3339.fullmatch(created_at):
        yield Problem(f"created_at {created_at!r} does not follow RFC 3339", at="created_at")
    elif plugin.form is Form.YAML and (written := _PYYAML_TIME.search(plugin.files[MANIFEST])):
        yield Problem(f"created_at {written[1].decode()} does not follow RFC 3339", at="created_at")


_PYYAML_TIME = re.compile(
    rb"^created_at:\s*(\d{4}-\d\d-\d\d[ \t]+[\d:.]+\s*[+-]\d\d:?\d\d)", re.MULTILINE
)


@rule(
    "XI107",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: PluginResourceRequirement",
    bad=("resource:\n  memory: «0»\n",),
    good=("resource:\n  memory: 268435456\n",),
    fix="Write how many bytes the plugin needs, e.g. 268435456.",
)
def no_memory(resource: Resource, _: Plugin) -> Iterator[Problem]:
    """The memory is 0, which the daemon takes for a missing value."""
    if resource.memory == 0:
        yield Problem("memory is 0", at="memory")


@rule(
    "XI121",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_DECLARATION}: PluginResourceRequirement, in bytes",
    bad=(
        "resource:\n  memory: «256»\n",
        "resource:\n  memory: «1048575»\n",
        "resource:\n  memory: «68719476737»\n",
    ),
    good=("resource:\n  memory: 1048576\n", "resource:\n  memory: 68719476736\n"),
    fix="Write bytes, e.g. 268435456 for 256 MiB.",
)
def odd_memory(resource: Resource, _: Plugin) -> Iterator[Problem]:
    """The memory is below 1 MiB or above 64 GiB; most likely it is not in bytes.

    No daemon enforces it today.
    """
    if resource.memory and not _SMALL_MEMORY <= resource.memory <= _LARGE_MEMORY:
        yield Problem(f"memory is {resource.memory} bytes", at="memory")


@rule(
    "XI108",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: PluginPermissionStorageRequirement",
    bad=(
        "resource:\n  permission:\n    storage:\n      enabled: false\n      size: «1023»\n",
        "resource:\n  permission:\n    storage:\n      size: «1073741825»\n",
        "resource:\n  permission:\n    storage:\n      «enabled: false»\n",
    ),
    good=(
        "resource:\n  permission:\n    storage:\n      size: 1024\n",
        "resource:\n  permission:\n    storage:\n      size: 1073741824\n",
    ),
    fix=Fix(
        spec="Leave the storage out: a model plugin has no use for it.",
        yaml="Remove storage: a model plugin has no use for it. Otherwise write a size of 1024 to "
        "1073741824 bytes.",
    ),
)
def storage_size(storage: StoragePermission, plugin: Plugin) -> Iterator[Problem]:
    """The storage has no size, or one outside 1 KiB to 1 GiB.

    The daemon looks at the size of a storage that is not enabled, too.
    """
    if plugin.form is Form.YAML and "size" not in storage.explicit:
        yield Problem("the storage has no size")
    elif not _SMALL_STORAGE <= storage.size <= _LARGE_STORAGE:
        message = f"the size {storage.size} is outside {_SMALL_STORAGE} to {_LARGE_STORAGE} bytes"
        yield Problem(message, at="size")


@rule(
    "XI109",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="daemon internal/core/io_tunnel/backwards_invocation/task.go: checkPermission",
    bad=("resource:\n  permission:\n    tool:\n      «enabled: true»\n",),
    good=("resource:\n  permission:\n    tool:\n      enabled: false\n",),
    fix="Leave the permissions out.",
)
def idle_permission(permission: Permission, _: Plugin) -> Iterator[Problem]:
    """The plugin asks for permissions, of which a model plugin gets none.

    The daemon refuses every call from a model back to Dify.
    """
    enabled = [
        name
        for name in ("tool", "model", "node", "endpoint", "app", "storage")
        if (block := getattr(permission, name)) is not None and block.enabled
    ]
    if enabled:
        names = ", ".join(enabled)
        yield Problem(f"a model plugin does not get the permission {names}", at=enabled[0])


@rule(
    "XI110",
    Severity.REFUSED,
    Stage.START,
    source="daemon internal/core/local_runtime/subprocess.go: python -m",
    bad=("meta:\n  runner:\n    entrypoint: «main.py»\n",),
    good=("meta:\n  runner:\n    entrypoint: main\n",),
    fix="Write the module's name, e.g. main.",
)
def entrypoint_form(runner: Runner, _: Plugin) -> Iterator[Problem]:
    """The entry point is not a module's name, so `python -m` does not start it."""
    parts = runner.entrypoint.split(".")
    if runner.entrypoint.endswith(".py") or not all(part.isidentifier() for part in parts):
        yield Problem(f"{runner.entrypoint!r} is not the name of a module", at="entrypoint")


@rule(
    "XI111",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: PluginMeta",
    bad=("meta:\n  version: «'1'»\n",),
    good=("meta:\n  version: 0.0.2\n",),
    fix="Write 0.0.1.",
)
def meta_version(meta: Meta, _: Plugin) -> Iterator[Problem]:
    """The version of the manifest's format is not three numbers."""
    if not _THREE_NUMBERS.fullmatch(meta.version):
        yield Problem(f"the version {meta.version!r} is not of the form 0.0.1", at="version")


@rule(
    "XI112",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/entities/plugin/setup.py: PluginConfiguration.Meta",
    bad=("meta:\n  minimum_dify_version: «soon»\n",),
    good=("meta:\n  minimum_dify_version: 1.4.0\n",),
    fix="Write a version of Dify, e.g. 1.4.0.",
)
def minimum_version(meta: Meta, _: Plugin) -> Iterator[Problem]:
    """The minimum version of Dify is not a version."""
    minimum = meta.minimum_dify_version
    if minimum is not None and not _is_pep440(minimum):
        yield Problem(f"{minimum!r} is not a version", at="minimum_dify_version")


@rule(
    "XI113",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: PluginDeclarationWithoutAdvancedFields",
    bad=("repo: «example.com/acme/dify»",),
    good=("repo: https://example.com/acme/dify",),
    fix="Write the URL of the source with its https://, or leave it out.",
)
def repo_url(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The repository is not a URL."""
    if manifest.repo is not None and not _URL.fullmatch(manifest.repo):
        yield Problem(f"the repository {manifest.repo!r} is not a URL", at="repo")


@rule(
    "XI114",
    Severity.REFUSED,
    Stage.UPLOAD,
    source=f"{_DECLARATION}: ManifestValidate",
    bad=("plugins:\n  models:\n    - provider/acme.yaml\n  tools:\n    «- tools/acme.yaml»\n",),
    good=("plugins:\n  models:\n    - provider/acme.yaml\n",),
    fix="Move the other kinds to plugins of their own.",
)
def mixed_kinds(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The plugin offers models together with tools or another kind of extension."""
    for kind in _OTHER_KINDS:
        if manifest.plugins.models and getattr(manifest.plugins, kind):
            yield Problem(f"a plugin with models cannot have {kind}", at=f"plugins.{kind}")
            return


@rule(
    "XI115",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="daemon pkg/plugin_packager/decoder/helper.go: Manifest",
    bad=(
        {
            "manifest.yaml": "plugins:\n  models:\n    - provider/other.yaml\n"
            "    - «provider/acme.yaml»\n",
            "provider/other.yaml": "provider: other\n",
        },
    ),
    good=("plugins:\n  models:\n    - provider/acme.yaml\n",),
    fix="Keep one provider and move the others to plugins of their own.",
)
def several_providers(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The plugin has several model providers, and Dify shows one of them.

    The daemon keeps the last, or in remote debugging the first; the SDK loads them all.
    """
    if len(manifest.plugins.models) > 1:
        count = len(manifest.plugins.models)
        yield Problem(f"a plugin has one model provider, not {count}", at="plugins.models[1]")


@rule(
    "XI116",
    Severity.REFUSED,
    Stage.UPLOAD,
    source="daemon internal/types/models/plugin.go: PluginUniqueIdentifier has size 255",
    bad=(f"author: {'a' * 64}\nname: «{'n' * 120}»\n",),
    good=(f"author: {'a' * 64}\nname: {'n' * 119}\n",),
    fix="Use a shorter name or author.",
)
def identifier_length(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """Author, name and version together are too long for the daemon's database."""
    length = len(manifest.author) + len(manifest.name) + len(manifest.version) + _CHECKSUM
    if length > _IDENTIFIER:
        message = f"the identifier has {length} characters, of {_IDENTIFIER} that fit"
        yield Problem(message, at="name")


@rule(
    "XI117",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit; langgenius/dify-plugins#2460",
    bad=("contact:«»\n",),
    good=("contact: acme@example.com",),
    fix=Fix(
        spec="Pass it to Manifest(…).",
        yaml="Add it to manifest.yaml.",
    ),
)
def marketplace_fields(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The manifest lacks what the marketplace's review requires: privacy, repo or contact."""
    for name in ("privacy", "repo", "contact"):
        if not getattr(manifest, name) and not manifest.extra_keys.get(name):
            yield Problem(f"the marketplace requires {name}", at=name)


@rule(
    "XI118",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit; langgenius/dify-plugins#2836",
    bad=("author: «my-dify-tools»",),
    good=("author: my-tools",),
    fix="Use your own name.",
)
def reserved_author(manifest: Manifest, _: Plugin) -> Iterator[Problem]:
    """The author's name contains one that is reserved for Dify's makers."""
    for word in ("dify", "langgenius"):
        if word in manifest.author:
            yield Problem(f"the author {manifest.author!r} contains {word!r}", at="author")


@rule(
    "XI120",
    Severity.REFUSED,
    Stage.UPLOAD,
    source=f"{_DECLARATION}: ManifestValidate",
    bad=("plugins: «{}»",),
    good=("plugins:\n  models:\n    - provider/acme.yaml\n",),
    fix="Write the path of the provider's file under plugins.models.",
)
def nothing_declared(manifest: Manifest, plugin: Plugin) -> Iterator[Problem]:
    """The plugin names no file of what it adds to Dify."""
    if "plugins" not in manifest.explicit or not plugin.is_read(MANIFEST, "plugins"):
        return
    if not any(getattr(manifest.plugins, kind) for kind in ("models", *_OTHER_KINDS)):
        yield Problem("plugins names no file", at="plugins.models")


def _is_pep440(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


RULES = (
    version_form,
    version_word,
    author_form,
    name_form,
    text_length,
    path_length,
    creation_time,
    no_memory,
    odd_memory,
    storage_size,
    idle_permission,
    entrypoint_form,
    meta_version,
    minimum_version,
    repo_url,
    mixed_kinds,
    several_providers,
    identifier_length,
    marketplace_fields,
    reserved_author,
    nothing_declared,
)
