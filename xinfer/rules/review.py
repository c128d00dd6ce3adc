"""Rules of the marketplace's review that no Dify applies: ``check --review`` turns them on.

What the review looks at and users meet, too, such as a README without English, has its rule beside
the others of its kind, as advice at the stage of the review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from attrs import frozen
from packaging.version import InvalidVersion, Version

from xinfer.plugin.plugin import Plugin
from xinfer.plugin.requirements import PYPROJECT, REQUIREMENTS
from xinfer.plugin.unwanted import secrets_in
from xinfer.rules.dependencies import sdk_bound_fault
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, fix_in_files, rule
from xinfer.spec.declaration import Declaration
from xinfer.spec.dify_versions import features_used
from xinfer.spec.span import Span

_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+")
_PRIVACY = "PRIVACY.md"
_BLOCKED_SUFFIXES = (".pem", ".key")
_TOOLKIT = "marketplace toolkit"


@frozen(kw_only=True, eq=False)
class Review(Declaration):
    """What the review compares a plugin with.

    :param published: the versions that the marketplace has, each as ``author/name:version``.
    """

    published: frozenset[str] = frozenset()


@rule(
    "XI551",
    Severity.ADVICE,
    Stage.REVIEW,
    source=_TOOLKIT,
    bad=("contact: «https://example.com/acme/dify/issues»", "contact: «'@acme'»"),
    good=("contact: acme@example.com",),
    fix="Write the e-mail address at which users and reviewers reach you.",
)
def contact_form(_: Review, plugin: Plugin) -> Iterator[Problem]:
    """The contact is not an e-mail address."""
    manifest = plugin.manifest
    if manifest and manifest.contact and not _EMAIL.fullmatch(manifest.contact):
        message = f"the contact {manifest.contact!r} is not an e-mail address"
        yield Problem(message, at="contact", of=manifest)


_META = (
    "{version: 0.0.1, arch: [amd64], runner: {language: python, version: '3.12', entrypoint: main}}"
)


@rule(
    "XI552",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_TOOLKIT,
    bad=(f"meta: «{_META}»\n",),
    good=("meta:\n  minimum_dify_version: 1.4.0\n",),
    fix=Fix(
        spec='Pass the version that you tested with, as in Meta(minimum_dify_version="1.4.0").',
        yaml="Add it to meta: minimum_dify_version: 1.4.0, or the version that you tested with.",
    ),
)
def minimum_version_missing(_: Review, plugin: Plugin) -> Iterator[Problem]:
    """The manifest does not tell which Dify the plugin needs, as the review recommends.

    Without it the marketplace offers the plugin to a Dify that is too old for it.
    """
    manifest = plugin.manifest
    if manifest and not manifest.meta.minimum_dify_version:
        needs = [f"; {f.name} needs {f.since}" for f, _ in features_used(plugin.project)]
        message = "the manifest has no minimum_dify_version" + "".join(needs[-1:])
        yield Problem(message, at="meta", of=manifest)


@rule(
    "XI553",
    Severity.ADVICE,
    Stage.REVIEW,
    source=f"{_TOOLKIT}; langgenius/dify-plugins#2743",
    bad=({"manifest.yaml": "privacy: «https://example.com/privacy»\n", "PRIVACY.md": None},),
    good=("privacy: https://example.com/privacy",),
    fix=fix_in_files("Add a {}PRIVACY.md that says which data goes where, and who keeps it."),
)
def privacy_file_missing(_: Review, plugin: Plugin) -> Iterator[Problem]:
    """The package holds no PRIVACY.md; a link to a privacy statement does not take its place."""
    manifest = plugin.manifest
    if manifest and plugin.lacks(_PRIVACY) and not _names_privacy_file(manifest.privacy):
        yield Problem(plugin.missing(_PRIVACY), at="privacy", of=manifest)


def _names_privacy_file(privacy: str | None) -> bool:
    """Return whether XI510 has a finding already."""
    return str(PurePosixPath(privacy or "")) == _PRIVACY


@rule(
    "XI554",
    Severity.ADVICE,
    Stage.REVIEW,
    source=_TOOLKIT,
    bad=({"«»certificates/ca.pem": "-----BEGIN CERTIFICATE-----\n"},),
    good=({"certificates/ca.crt": "-----BEGIN CERTIFICATE-----\n"},),
    fix=fix_in_files("Give it another suffix, such as .crt, or list it in {}.difyignore."),
)
def key_file_packed(_: Review, plugin: Plugin) -> Iterator[Problem]:
    """A file has the suffix of a key, which the review blocks whatever the file holds.

    A file that holds a private key is refused at packing.
    """
    secrets = {secret.path for secret in secrets_in(plugin.files)}
    for path in plugin.files:
        if path.lower().endswith(_BLOCKED_SUFFIXES) and path not in secrets:
            yield Problem(f"{plugin.path(path)} is packed", span=Span(path, 1, 1))


@rule(
    "XI555",
    Severity.ADVICE,
    Stage.REVIEW,
    source=f"{_TOOLKIT}; langgenius/dify-plugins#2836",
    bad=(
        {"manifest.yaml": "version: «0.1.0»\n", "published:versions.txt": "acme/acme:0.1.0\n"},
        {"manifest.yaml": "version: «0.1.0»\n", "published:versions.txt": "acme/acme:0.2.0\n"},
    ),
    good=(
        {
            "manifest.yaml": "version: 0.10.0\n",
            "published:versions.txt": "acme/acme:0.9.0\nacme/other:1.0.0\n",
        },
    ),
    fix="Raise the version.",
)
def version_published(review: Review, plugin: Plugin) -> Iterator[Problem]:
    """The version of the plugin, or a newer one, is published already.

    `--published` names the list: a text file with `author/name:version` on each line, or a
    checkout of the marketplace's repository.
    """
    manifest = plugin.manifest
    if manifest is None:
        return
    plugin_id = f"{manifest.author}/{manifest.name}:"
    of_plugin = (entry for entry in review.published if entry.startswith(plugin_id))
    published = {entry.removeprefix(plugin_id) for entry in of_plugin}
    if manifest.version in published:
        message = f"version {manifest.version} is published already"
        yield Problem(message, at="version", of=manifest)
        return
    own = _version(manifest.version)
    newer = [version for version in published if own and (_version(version) or own) > own]
    if newer:
        message = f"version {max(newer, key=_order)} is published, and is newer"
        yield Problem(message, at="version", of=manifest)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _order(text: str) -> Version:
    return _version(text) or Version("0")


_PERMISSION_WORDS: Mapping[str, tuple[str, ...]] = {
    "storage": ("stor", "sav", "keep", "kept", "retain", "persist"),
    "tool": ("tool",),
    "model": ("model",),
    "node": ("node", "workflow"),
    "endpoint": ("endpoint", "webhook"),
    "app": ("app",),
}
"""How a privacy statement speaks of what a permission allows: beginnings of words."""


_REASON = "# xinfer: ignore[XI109] a patched daemon allows it"


@rule(
    "XI556",
    Severity.ADVICE,
    Stage.REVIEW,
    source=f"{_TOOLKIT}; langgenius/dify-plugins#3096",
    bad=(
        {
            "manifest.yaml": f"resource:\n  permission:\n    tool: «{{enabled: true}}» {_REASON}\n",
            "PRIVACY.md": "Nothing leaves the plugin.\n",
        },
    ),
    good=(
        {
            "manifest.yaml": f"resource:\n  permission:\n    tool: {{enabled: true}} {_REASON}\n",
            "PRIVACY.md": "The plugin calls no tool of yours.\n",
        },
    ),
    fix=fix_in_files(
        "Say in {}PRIVACY.md what the plugin uses it for, or leave the permission out."
    ),
)
def permission_unexplained(_: Review, plugin: Plugin) -> Iterator[Problem]:
    """The plugin asks for a permission of which its privacy statement does not speak."""
    manifest = plugin.manifest
    permission = manifest.resource.permission if manifest else None
    text = (plugin.sources or {}).get(_PRIVACY)
    if permission is None or text is None:
        return
    for name, words in _PERMISSION_WORDS.items():
        block = getattr(permission, name)
        spoken = any(re.search(rf"\b{word}", text, re.IGNORECASE) for word in words)
        if block is not None and block.enabled and not spoken:
            message = f"{plugin.path(_PRIVACY)} does not speak of the permission {name}"
            yield Problem(message, at=f"resource.permission.{name}", of=manifest)


@rule(
    "XI557",
    Severity.ADVICE,
    Stage.REVIEW,
    source=f"{_TOOLKIT}; langgenius/dify-plugins#2663",
    bad=({"requirements.txt": "«dify_plugin~=0.9.0»\nrequests\n"},),
    good=({"requirements.txt": "dify_plugin>=0.9.0\nrequests\n"},),
    fix=fix_in_files(
        'Require "dify_plugin>=0.9.0" in both files, or leave {}requirements.txt out.'
    ),
)
def second_sdk_bound(_: Review, plugin: Plugin) -> Iterator[Problem]:
    """requirements.txt beside pyproject.toml bounds Dify's SDK in a way that the review refuses.

    The daemon installs from it where a mirror of the package index is configured.
    """
    if PYPROJECT not in plugin.files or REQUIREMENTS not in plugin.files:
        return
    lines = plugin.files[REQUIREMENTS].decode(errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        requirement = line.partition("#")[0].strip().removesuffix("\\").strip()
        if fault := sdk_bound_fault(requirement):
            span = Span(REQUIREMENTS, number, 1, number, 1 + len(requirement))
            yield Problem(fault, span=span)


RULES = (
    contact_form,
    minimum_version_missing,
    privacy_file_missing,
    key_file_packed,
    version_published,
    permission_unexplained,
    second_sdk_bound,
)
