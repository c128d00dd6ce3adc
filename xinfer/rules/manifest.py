"""Rules of the manifest: what the daemon refuses to pack, to install or to start."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime

from packaging.version import InvalidVersion, Version

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import (
    RFC3339,
    I18n,
    Manifest,
    Meta,
    Permission,
    Project,
    Resource,
    Runner,
    StoragePermission,
)

_THREE_NUMBERS = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(-\w{1,16})?", re.ASCII)
_AUTHOR = re.compile(r"[a-z0-9_-]{1,64}")
_NAME = re.compile(r"[a-z0-9_-]{1,128}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_LONGEST_TEXT = 1023
_LONGEST_PATH = 128
_IDENTIFIER = 255
_CHECKSUM = 67
"""Characters that the identifier holds beside author, name and version."""


@rule(
    "XI101",
    Severity.REFUSED,
    Stage.PACKING,
    fix="Write three numbers of at most four digits; behind them at most one of "
    "-alpha1, -beta1, -rc1, -dev1, -post1.",
)
def version_form(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The version is not one that both the daemon and the SDK accept.

    The daemon wants three numbers and a word of at most 16 letters; the SDK wants PEP 440. Each
    accepts some that the other refuses: 1.2.3-hotfix, 1.2.3rc1.
    """
    if not _THREE_NUMBERS.fullmatch(manifest.version) or not _is_pep440(manifest.version):
        yield Problem(f"the version {manifest.version!r} is refused", at="version")


@rule("XI102", Severity.REFUSED, Stage.UPLOAD, fix="Use 1 to 64 of a-z, 0-9, _ and -.")
def author_form(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The author has a form that the daemon refuses when the plugin is installed.

    Packing does not look at it. A UUID stands for a plugin in remote debugging and is refused.
    """
    if not _AUTHOR.fullmatch(manifest.author):
        yield Problem(f"the author {manifest.author!r} is refused on upload", at="author")
    elif _is_uuid(manifest.author):
        yield Problem(f"the author {manifest.author!r} is a UUID", at="author")


@rule("XI103", Severity.REFUSED, Stage.PACKING, fix="Use 1 to 128 of a-z, 0-9, _ and -.")
def name_form(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The name has a form that the daemon and the SDK refuse."""
    if not _NAME.fullmatch(manifest.name):
        yield Problem(f"the name {manifest.name!r} is refused", at="name")


@rule("XI104", Severity.REFUSED, Stage.PACKING, fix="Write 1 to 1023 characters.")
def text_length(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The label or the description is empty or too long; the daemon refuses to pack it."""
    for name in ("label", "description"):
        text: I18n = getattr(manifest, name)
        if not text.en_US:
            yield Problem(f"the {name} is empty", at=f"{name}.en_US", of=text)
        for language in ("en_US", "zh_Hans", "ja_JP", "pt_BR"):
            said = getattr(text, language)
            if said and len(said) > _LONGEST_TEXT:
                count = f"{len(said)} characters"
                yield Problem(f"the {name} has {count}", at=f"{name}.{language}", of=text)


@rule("XI105", Severity.REFUSED, Stage.PACKING, fix="Use a shorter name.")
def path_length(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """A file's name is longer than 128 characters; the daemon refuses to pack it."""
    named = {"icon": manifest.icon, "icon_dark": manifest.icon_dark or ""}
    named |= {f"plugins.models[{i}]": path for i, path in enumerate(manifest.plugins.models)}
    for at, path in named.items():
        if len(path) > _LONGEST_PATH:
            yield Problem(f"{at} has {len(path)} characters", at=at)


@rule(
    "XI106",
    Severity.REFUSED,
    Stage.PACKING,
    fix="Write datetime(2026, 1, 31, tzinfo=UTC), in YAML 2026-01-31T00:00:00Z.",
)
def creation_time(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The time of creation has no time zone, or not the form of RFC 3339.

    Go refuses what PyYAML writes for such a time, at every gate.
    """
    made = manifest.created_at
    if isinstance(made, datetime) and made.tzinfo is None:
        yield Problem(f"created_at {made} has no time zone", at="created_at")
    elif isinstance(made, str) and not RFC3339.fullmatch(made):
        yield Problem(f"created_at {made!r} is not of the form of RFC 3339", at="created_at")


@rule("XI107", Severity.REFUSED, Stage.PACKING, fix="Say how many bytes, e.g. 268435456.")
def no_memory(resource: Resource, _: Subject) -> Iterator[Problem]:
    """The memory is 0, which the daemon takes for missing and refuses to pack."""
    if resource.memory == 0:
        yield Problem("memory is 0", at="memory")


@rule("XI121", Severity.ADVICE, Stage.RUN_TIME, fix="Write bytes, e.g. 268435456 for 256 MiB.")
def odd_memory(resource: Resource, _: Subject) -> Iterator[Problem]:
    """The memory is far from what a plugin needs; most likely it is not in bytes.

    Nothing enforces it today.
    """
    if resource.memory and not _LEAST_MEMORY <= resource.memory <= _MOST_MEMORY:
        yield Problem(f"memory is {resource.memory} bytes", at="memory")


_LEAST_MEMORY, _MOST_MEMORY = 1024**2, 64 * 1024**3


@rule("XI108", Severity.REFUSED, Stage.PACKING, fix="Say 1024 to 1073741824 bytes.")
def storage_size(storage: StoragePermission, _: Subject) -> Iterator[Problem]:
    """The size of the storage is out of bounds; the daemon looks at it even when not enabled."""
    if not 1024 <= storage.size <= 1024**3:
        yield Problem(f"a storage of {storage.size} bytes is refused", at="size")


@rule("XI109", Severity.ADVICE, Stage.RUN_TIME, fix="Leave the permissions out.")
def idle_permission(permission: Permission, _: Subject) -> Iterator[Problem]:
    """A model plugin asks for permissions, which it will not be given.

    The daemon answers every call from a model back to Dify with a refusal.
    """
    asked = [
        name
        for name in ("tool", "model", "node", "endpoint", "app", "storage")
        if (block := getattr(permission, name)) is not None and block.enabled
    ]
    if asked:
        yield Problem(f"a model plugin has no use for permissions ({', '.join(asked)})")


@rule("XI110", Severity.REFUSED, Stage.START, fix='Name the module, as in "main".')
def entrypoint_form(runner: Runner, _: Subject) -> Iterator[Problem]:
    """The entry point is not a module; ``python -m`` cannot start it."""
    parts = runner.entrypoint.split(".")
    if runner.entrypoint.endswith(".py") or not all(part.isidentifier() for part in parts):
        yield Problem(f"{runner.entrypoint!r} is not the name of a module", at="entrypoint")


@rule("XI111", Severity.REFUSED, Stage.PACKING, fix="Write three numbers, e.g. 0.0.1.")
def meta_version(meta: Meta, _: Subject) -> Iterator[Problem]:
    """The version of the manifest's format has a form that the daemon refuses to pack."""
    if not _THREE_NUMBERS.fullmatch(meta.version):
        yield Problem(f"the format's version {meta.version!r} is refused", at="version")


@rule("XI112", Severity.REFUSED, Stage.START, fix="Write a version of Dify, e.g. 1.4.0.")
def minimum_version(meta: Meta, _: Subject) -> Iterator[Problem]:
    """The least version of Dify is none by PEP 440; the SDK refuses to start."""
    least = meta.minimum_dify_version
    if least is not None and not _is_pep440(least):
        yield Problem(f"{least!r} is not a version", at="minimum_dify_version")


@rule("XI113", Severity.REFUSED, Stage.PACKING, fix="Give the URL of the source, or leave it out.")
def repo_url(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The repository is not a URL; the daemon refuses to pack it."""
    if manifest.repo is not None and not _URL.fullmatch(manifest.repo):
        yield Problem(f"repo {manifest.repo!r} is not a URL", at="repo")


@rule(
    "XI114", Severity.REFUSED, Stage.UPLOAD, fix="Put the other kinds into a plugin of their own."
)
def mixed_kinds(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The plugin offers models and something else; the daemon refuses to install it."""
    mixed = [kind for kind in _OTHER_KINDS if getattr(manifest.plugins, kind)]
    if manifest.plugins.models and mixed:
        yield Problem(f"models together with {', '.join(mixed)}", at="plugins")


@rule("XI115", Severity.BROKEN, Stage.RUN_TIME, fix="Name one, and make a plugin of each other.")
def several_providers(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The plugin names several model providers, of which Dify shows one.

    The daemon keeps the last, or in remote debugging the first; the SDK loads them all.
    """
    if len(manifest.plugins.models) > 1:
        yield Problem(f"{len(manifest.plugins.models)} model providers", at="plugins.models")


@rule("XI116", Severity.BROKEN, Stage.UPLOAD, fix="Use a shorter author or name.")
def identifier_length(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """Author, name and version are too long together for the daemon's database."""
    length = len(manifest.author) + len(manifest.name) + len(manifest.version) + _CHECKSUM
    if length > _IDENTIFIER:
        yield Problem(f"the identifier has {length} characters, of {_IDENTIFIER} that fit")


@rule("XI117", Severity.ADVICE, Stage.REVIEW, fix="Say it in the Manifest.")
def marketplace_fields(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """Something is missing that the marketplace's review requires."""
    for name in ("privacy", "repo", "contact"):
        if not getattr(manifest, name) and not manifest.extra_keys.get(name):
            yield Problem(f"the marketplace asks for {name}", at=name)


@rule("XI118", Severity.ADVICE, Stage.REVIEW, fix="Use your own name.")
def reserved_author(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The author's name is kept for Dify's makers; the marketplace refuses it."""
    for word in ("dify", "langgenius"):
        if word in manifest.author:
            yield Problem(f"the author {manifest.author!r} contains {word!r}", at="author")


@rule("XI119", Severity.BROKEN, Stage.START, fix='Add "dify_plugin>=0.9.0".')
def sdk_requirement(project: Project, subject: Subject) -> Iterator[Problem]:
    """The plugin's requirements do not name Dify's SDK; its environment will lack it."""
    named = [re.split(r"[\s<>=!~\[;]", line)[0].replace("-", "_") for line in project.requirements]
    own = subject.files and any(name in subject.files for name in ("uv.lock",))
    if "dify_plugin" not in named and not own:
        yield Problem("no dify_plugin among the requirements", at="requirements")


@rule(
    "XI120", Severity.REFUSED, Stage.PACKING, fix="Name the provider's file under plugins.models."
)
def nothing_declared(manifest: Manifest, _: Subject) -> Iterator[Problem]:
    """The plugin declares nothing that it adds to Dify; the daemon refuses it."""
    declared = manifest.plugins
    if not any(getattr(declared, kind) for kind in ("models", *_OTHER_KINDS)):
        yield Problem("plugins names no file", at="plugins")


_OTHER_KINDS = ("tools", "endpoints", "agent_strategies", "datasources", "triggers")


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
    sdk_requirement,
    nothing_declared,
)
