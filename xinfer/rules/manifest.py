"""Rules of the manifest: identity, texts, and the files that it names."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime

from xinfer.plugin.plugin import MANIFEST, Form, Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, rule
from xinfer.rules.versions import THREE_NUMBERS, is_pep440
from xinfer.spec import I18n, Manifest
from xinfer.spec.manifest import RFC3339

_AUTHOR = re.compile(r"[a-z0-9_-]{1,64}")
_NAME = re.compile(r"[a-z0-9_-]{1,128}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_LONGEST_TEXT = 1023
_LONGEST_PATH = 128
_IDENTIFIER = 255
_CHECKSUM = 67
"""Characters that the identifier holds beside author, name and version."""
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
    if not THREE_NUMBERS.fullmatch(manifest.version):
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
    if THREE_NUMBERS.fullmatch(version) and not is_pep440(version):
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
    fix=Fix(
        spec="Leave plugins out: the build fills it in.",
        yaml="Write the path of the provider's file under plugins.models.",
    ),
)
def nothing_declared(manifest: Manifest, plugin: Plugin) -> Iterator[Problem]:
    """The plugin names no file of what it adds to Dify."""
    if "plugins" not in manifest.explicit or not plugin.is_read(MANIFEST, "plugins"):
        return
    if not any(getattr(manifest.plugins, kind) for kind in ("models", *_OTHER_KINDS)):
        yield Problem("plugins names no file", at="plugins.models")


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
    repo_url,
    mixed_kinds,
    several_providers,
    identifier_length,
    marketplace_fields,
    reserved_author,
    nothing_declared,
)
