"""Rules of what the plugin's documents and pictures say; the marketplace's review reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import Manifest, Project
from xinfer.spec.span import Span

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_FENCE = re.compile(r"^\s*(```|~~~)")
_LOCALISED = re.compile(r"README[._-](?P<locale>[A-Za-z]{2}(?:[_-][A-Za-z]{2,})?)\.md")
_NAME_THE_DAEMON_LOADS = re.compile(r"README_[a-z]{2}_[A-Za-z]{2,}\.md")
_TEMPLATE_PRIVACY = "please fill in the privacy policy"
_TEMPLATE_ICON = "DIFY_MARKETPLACE_TEMPLATE_ICON_DO_NOT_USE"
_README = "README.md"


@rule(
    "XI511", Severity.ADVICE, Stage.REVIEW, fix="Write README.md in English; others below readme/."
)
def readme_language(project: Project, subject: Subject) -> Iterator[Problem]:
    """README.md holds Chinese, Japanese or Korean outside its code; the marketplace refuses it."""
    fenced = False
    for number, line in enumerate(_said(subject, _README).splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (found := _CJK.search(line)):
            place = Span(_README, number, found.start() + 1)
            yield Problem(f"README.md says {found[0]!r} in line {number}", span=place)
            return


@rule("XI512", Severity.ADVICE, Stage.REVIEW, fix="Link the repository in it.")
def readme_without_repo(manifest: Manifest, subject: Subject) -> Iterator[Problem]:
    """README.md does not name the source's repository; the marketplace asks for the link."""
    said = _said(subject, _README)
    if said and manifest.repo and manifest.repo.rstrip("/").removesuffix(".git") not in said:
        yield Problem(f"README.md does not link {manifest.repo}", span=Span(_README, 1, 1))


@rule("XI513", Severity.ADVICE, Stage.REVIEW, fix="Say which data goes where, and who keeps it.")
def privacy_unwritten(manifest: Manifest, subject: Subject) -> Iterator[Problem]:
    """The privacy statement is empty or the template's; the marketplace refuses it."""
    path = str(PurePosixPath(manifest.privacy or ""))
    if subject.sources is None or path not in subject.sources:
        return
    said = subject.sources[path]
    if not said.strip():
        yield Problem(f"{path} is empty", span=Span(path, 1, 1))
    elif _TEMPLATE_PRIVACY in said.lower():
        yield Problem(f"{path} is the template's", span=Span(path, 1, 1))


@rule("XI514", Severity.ADVICE, Stage.REVIEW, fix="Draw one of your own.")
def template_icon(project: Project, subject: Subject) -> Iterator[Problem]:
    """An icon is that of Dify's template; the marketplace refuses it."""
    for path, text in (subject.sources or {}).items():
        if path.startswith("_assets/") and _TEMPLATE_ICON in text:
            yield Problem(f"{path} is the template's", span=Span(path, 1, 1))


@rule("XI515", Severity.ADVICE, Stage.REVIEW, fix="Call it readme/README_zh_Hans.md, or likewise.")
def readme_not_loaded(project: Project, subject: Subject) -> Iterator[Problem]:
    """A translated README has a name or a place where the daemon does not look for it."""
    for path in map(PurePosixPath, subject.files or ()):
        translated = _LOCALISED.fullmatch(path.name)
        loaded = _NAME_THE_DAEMON_LOADS.fullmatch(path.name) and path.parts[:-1] == ("readme",)
        if translated and not loaded and len(path.parts) <= 2:
            yield Problem(f"nobody shows {path}", at=str(path))


def _said(subject: Subject, path: str) -> str:
    return (subject.sources or {}).get(path, "")


RULES = (
    readme_language,
    readme_without_repo,
    privacy_unwritten,
    template_icon,
    readme_not_loaded,
)
