"""Rules of what the plugin's documents and pictures say; the marketplace's review reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from xinfer.plugin.plugin import Plugin
from xinfer.plugin.texts import span_in
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, fix_in_files, rule
from xinfer.spec import Manifest, Project
from xinfer.spec.span import Span

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_FENCE = re.compile(r"^\s*(```|~~~)")
_LOCALISED = re.compile(r"README[._-](?P<locale>[A-Za-z]{2}(?:[_-][A-Za-z]{2,})?)\.md")
_LOADED = re.compile(r"README_[a-z]{2}_[A-Za-z]{2,}\.md")
_TEMPLATE_PRIVACY = "please fill in the privacy policy"
_TEMPLATE_ICON = "DIFY_MARKETPLACE_TEMPLATE_ICON_DO_NOT_USE"
_README = "README.md"
_TOOLKIT = "marketplace toolkit"


@rule(
    "XI511",
    Severity.ADVICE,
    Stage.REVIEW,
    source=f"{_TOOLKIT}; langgenius/dify-plugins#2689",
    bad=({"README.md": "# Acme\n\nhttps://example.com/acme/dify\n\nFor «模型».\n"},),
    good=(
        {"README.md": "# Acme\n\nhttps://example.com/acme/dify\n\n```\n模型\n```\n"},
        {
            "README.md": "# Acme\n\nhttps://example.com/acme/dify\n",
            "readme/README_zh_Hans.md": "模型\n",
        },
    ),
    fix=fix_in_files("Write {0}README.md in English, and the others below {0}readme/."),
)
def readme_language(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """README.md holds Chinese, Japanese or Korean outside its code."""
    text = _text(plugin, _README)
    fenced, offset = False, 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (match := _CJK.search(line)):
            span = span_in(_README, text, offset + match.start(), offset + match.end())
            yield Problem(f"line {number} of README.md is not in English", span=span)
            return
        offset += len(line)


@rule(
    "XI512",
    Severity.ADVICE,
    Stage.REVIEW,
    source=_TOOLKIT,
    bad=({"README.md": "«»# Acme\n"},),
    good=({"README.md": "# Acme\n\nSource: https://example.com/acme/dify\n"},),
    fix=fix_in_files("Link the repository in {}README.md."),
)
def readme_without_repo(manifest: Manifest, plugin: Plugin) -> Iterator[Problem]:
    """README.md does not link the plugin's repository."""
    text = _text(plugin, _README)
    repo = manifest.repo or ""
    if text and "://" in repo and repo.rstrip("/").removesuffix(".git") not in text:
        yield Problem(f"README.md does not link {manifest.repo}", span=Span(_README, 1, 1))


@rule(
    "XI513",
    Severity.ADVICE,
    Stage.REVIEW,
    source=_TOOLKIT,
    bad=(
        {"PRIVACY.md": "«»"},
        {"PRIVACY.md": "«Please fill in the privacy policy» of the plugin.\n"},
    ),
    good=({"PRIVACY.md": "Nothing is kept.\n"},),
    fix="Say which data goes where, and who keeps it.",
)
def privacy_unwritten(manifest: Manifest, plugin: Plugin) -> Iterator[Problem]:
    """The privacy statement is empty, or that of Dify's template."""
    path = str(PurePosixPath(manifest.privacy or ""))
    text = (plugin.sources or {}).get(path)
    if text is None:
        return
    start = text.lower().find(_TEMPLATE_PRIVACY)
    if not text.strip():
        yield Problem(f"{plugin.path(path)} is empty", span=Span(path, 1, 1))
    elif start >= 0:
        span = span_in(path, text, start, start + len(_TEMPLATE_PRIVACY))
        yield Problem(f"{plugin.path(path)} is that of the template", span=span)


@rule(
    "XI514",
    Severity.ADVICE,
    Stage.REVIEW,
    source=_TOOLKIT,
    bad=({"_assets/icon.svg": f"<svg><!-- «{_TEMPLATE_ICON}» --></svg>\n"},),
    good=({"_assets/icon.svg": "<svg><circle r='4'/></svg>\n"},),
    fix="Draw an icon of your own.",
)
def template_icon(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """An icon is that of Dify's template."""
    for path, text in (plugin.sources or {}).items():
        start = text.find(_TEMPLATE_ICON) if path.startswith("_assets/") else -1
        if start >= 0:
            span = span_in(path, text, start, start + len(_TEMPLATE_ICON))
            yield Problem(f"{plugin.path(path)} is that of the template", span=span)


@rule(
    "XI515",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="daemon pkg/plugin_packager/decoder/helper.go: AvailableI18nReadme",
    bad=({"«»README.zh_Hans.md": "模型\n"}, {"«»readme/README_zh-Hans.md": "模型\n"}),
    good=({"readme/README_zh_Hans.md": "模型\n"},),
    fix=fix_in_files("Call it {}readme/README_zh_Hans.md, or likewise."),
)
def readme_not_loaded(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """A translated README has a name or a place where the daemon does not look for it."""
    for path in map(PurePosixPath, plugin.files):
        translated = _LOCALISED.fullmatch(path.name)
        loaded = _LOADED.fullmatch(path.name) and path.parts[:-1] == ("readme",)
        if translated and not loaded and len(path.parts) <= 2:
            message = f"Dify does not show {plugin.path(str(path))}"
            yield Problem(message, span=Span(str(path), 1, 1))


def _text(plugin: Plugin, path: str) -> str:
    return (plugin.sources or {}).get(path, "")


RULES = (
    readme_language,
    readme_without_repo,
    privacy_unwritten,
    template_icon,
    readme_not_loaded,
)
