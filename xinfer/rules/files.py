"""Rules of the plugin's files: what must be there, and what must not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from xinfer.plugin.limits import MAX_PACKAGE_BYTES
from xinfer.plugin.unwanted import LEFTOVER_NAMES, LEFTOVER_SUFFIXES, secrets_in, tool_folder
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import I18n, Manifest, Meta, Project, Provider

_MOST_FILES = 5000
_ICONS = ("icon_small", "icon_large", "icon_small_dark", "icon_large_dark")
SECRET_PACKED = "XI505"  # noqa: S105


@rule("XI501", Severity.REFUSED, Stage.PACKING, fix="Add the file to _assets, or correct its name.")
def icon_missing(provider: Provider, subject: Subject) -> Iterator[Problem]:
    """An icon of the provider is not in ``_assets``.

    Packing refuses a light one that is missing, installing a dark one.
    """
    for name in _ICONS:
        icon: I18n | None = getattr(provider, name)
        if icon is None or subject.files is None:
            continue
        for language in ("en_US", "zh_Hans", "ja_JP", "pt_BR"):
            file = getattr(icon, language)
            if file and f"_assets/{file}" not in subject.files:
                yield Problem(f"there is no _assets/{file}", at=f"{name}.{language}", of=icon)


@rule("XI502", Severity.REFUSED, Stage.PACKING, fix="Add the file to _assets, or correct its name.")
def plugin_icon_missing(manifest: Manifest, subject: Subject) -> Iterator[Problem]:
    """An icon of the plugin is not in ``_assets``; it cannot be packed."""
    for name in ("icon", "icon_dark"):
        file = getattr(manifest, name)
        missing = subject.files is not None and f"_assets/{file}" not in subject.files
        if file == "" or (file and missing):
            yield Problem(f"there is no _assets/{file}", at=name)


@rule("XI503", Severity.REFUSED, Stage.PACKING, fix="Remove what is not needed to run.")
def too_large(project: Project, subject: Subject) -> Iterator[Problem]:
    """The plugin is larger than 50 MiB; it can be neither packed nor installed."""
    files = subject.files
    if files.size > MAX_PACKAGE_BYTES:
        largest = ", ".join(f"{file.path} ({file.size:,} bytes)" for file in files.largest())
        size = files.size / 2**20
        yield Problem(f"{size:.1f} MiB in {len(files)} files; the largest are {largest}")


@rule("XI504", Severity.ADVICE, Stage.REVIEW, fix="Remove what is not needed to run.")
def too_many_files(project: Project, subject: Subject) -> Iterator[Problem]:
    """The plugin has more than 5,000 files; the marketplace refuses it."""
    if len(subject.files or ()) > _MOST_FILES:
        yield Problem(f"{len(subject.files or ())} files")


@rule(
    SECRET_PACKED,
    Severity.REFUSED,
    Stage.PACKING,
    source="xinfer itself: Dify's packager packs every file",
    fix="Leave it out with a line in .difyignore. If it is no secret, use --allow-secret.",
)
def secret_packed(project: Project, subject: Subject) -> Iterator[Problem]:
    """A file that holds a secret would be published with the plugin.

    Dify's packager packs it; xinfer refuses to. Files are recognised by their names, such as
    `.env`, `.npmrc`, `id_ed25519` and `*.p12`, and private keys by their contents.
    """
    for secret in secrets_in(subject.files):
        yield Problem(f"{secret.path} would be published: {secret.reason}", at=secret.path)


@rule("XI506", Severity.ADVICE, Stage.REVIEW, fix="Remove it.")
def leftover_packed(project: Project, subject: Subject) -> Iterator[Problem]:
    """A file is part of the plugin that some tool left there; the marketplace refuses it."""
    for path in map(PurePosixPath, subject.files or ()):
        left = path.name in LEFTOVER_NAMES or path.suffix in LEFTOVER_SUFFIXES
        if left and not tool_folder(str(path)):
            yield Problem(f"{path} is part of the plugin", at=str(path))


@rule("XI507", Severity.REFUSED, Stage.START, fix="Add the module, or correct its name.")
def entrypoint_missing(meta: Meta, subject: Subject) -> Iterator[Problem]:
    """The module that starts the plugin is not among its files; it cannot start."""
    module = meta.runner.entrypoint.replace(".", "/")
    if module.endswith("/py"):
        return  # which XI110 reports
    if subject.files is not None and not {f"{module}.py", f"{module}/__main__.py"} & set(
        subject.files
    ):
        yield Problem(f"there is no {module}.py", at="runner.entrypoint")


@rule("XI508", Severity.REFUSED, Stage.START, fix="Add a pyproject.toml or a requirements.txt.")
def dependencies_missing(project: Project, subject: Subject) -> Iterator[Problem]:
    """The plugin does not say what it needs; the daemon refuses to make its environment."""
    wanted = {"pyproject.toml", "requirements.txt"}
    if subject.files is not None and not wanted & set(subject.files):
        yield Problem("there is neither pyproject.toml nor requirements.txt")


@rule("XI509", Severity.ADVICE, Stage.REVIEW, fix="Add a README.md in English.")
def readme_missing(project: Project, subject: Subject) -> Iterator[Problem]:
    """There is no README.md; the marketplace refuses the plugin, and users find no help."""
    if subject.files is not None and "README.md" not in subject.files:
        yield Problem("there is no README.md")


@rule("XI510", Severity.ADVICE, Stage.REVIEW, fix="Add the file, or correct its name.")
def privacy_missing(manifest: Manifest, subject: Subject) -> Iterator[Problem]:
    """The privacy statement is not among the files; the marketplace refuses the plugin."""
    if manifest.privacy and subject.files is not None:
        path = str(PurePosixPath(manifest.privacy))
        if "://" not in manifest.privacy and path not in subject.files:
            yield Problem(f"there is no {manifest.privacy}", at="privacy")


RULES = (
    icon_missing,
    plugin_icon_missing,
    too_large,
    too_many_files,
    secret_packed,
    leftover_packed,
    entrypoint_missing,
    dependencies_missing,
    readme_missing,
    privacy_missing,
)
