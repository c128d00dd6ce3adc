"""Rules of the plugin's files: what must be there, and what must not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from xinfer.plugin.limits import MAX_PACKAGE_BYTES
from xinfer.plugin.plugin import Plugin
from xinfer.plugin.unwanted import LEFTOVER_NAMES, LEFTOVER_SUFFIXES, tool_folder
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, fix_in_files, rule
from xinfer.spec import I18n, Manifest, Meta, Project, Provider
from xinfer.spec.span import Span

_MEBIBYTE = 1024 * 1024
_MOST_FILES = 5000
_LANGUAGES = ("en_US", "zh_Hans", "ja_JP", "pt_BR")
_ADD_ICON = fix_in_files("Add the file to {}_assets, or correct its name.")
_REMOVE = fix_in_files("Remove what is not needed to run, or list it in {}.difyignore.")
_CHECK_ASSETS = "daemon pkg/plugin_packager/decoder/helper.go: CheckAssetsValid"
_REMAP = "daemon internal/core/plugin_manager/media_transport/assets_bucket.go: RemapAssets"


@rule(
    "XI501",
    Severity.REFUSED,
    Stage.PACKING,
    source=_CHECK_ASSETS,
    bad=("icon_small:\n  en_US: «icn.svg»\n", "icon_large:\n  en_US: «large.svg»\n"),
    good=("icon_large:\n  en_US: icon.svg\n",),
    fix=_ADD_ICON,
)
def icon_missing(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """An icon of the provider is not among the plugin's files."""
    yield from _missing_icons(provider, plugin, ("icon_small", "icon_large"))


@rule(
    "XI516",
    Severity.REFUSED,
    Stage.UPLOAD,
    source=_REMAP,
    bad=("icon_small_dark:\n  en_US: «dark.svg»\n",),
    good=("icon_small_dark:\n  en_US: icon.svg\n",),
    fix=_ADD_ICON,
)
def dark_icon_missing(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """A dark icon of the provider is not among the plugin's files; packing does not notice."""
    yield from _missing_icons(provider, plugin, ("icon_small_dark", "icon_large_dark"))


def _missing_icons(provider: Provider, plugin: Plugin, names: tuple[str, ...]) -> Iterator[Problem]:
    for name in names:
        icon: I18n | None = getattr(provider, name)
        for language in _LANGUAGES if icon is not None else ():
            file = getattr(icon, language)
            path = f"_assets/{file}"
            if file and plugin.lacks(path) and has_assets(plugin):
                yield Problem(plugin.missing(path), at=f"{name}.{language}", of=icon)


@rule(
    "XI502",
    Severity.REFUSED,
    Stage.PACKING,
    source=_CHECK_ASSETS,
    bad=("icon: «icn.svg»", "icon_dark: «dark.svg»\nmeta:\n  minimum_dify_version: 1.6.0\n"),
    good=("icon: icon.svg",),
    fix=_ADD_ICON,
)
def plugin_icon_missing(manifest: Manifest, plugin: Plugin) -> Iterator[Problem]:
    """An icon of the plugin is not among its files."""
    for name in ("icon", "icon_dark"):
        file = getattr(manifest, name)
        if file == "":
            yield Problem(f"{name} is empty", at=name)
        elif file and plugin.lacks(f"_assets/{file}") and has_assets(plugin):
            yield Problem(plugin.missing(f"_assets/{file}"), at=name)


@rule(
    "XI503",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon cmd/commandline/plugin/package.go: --max-size 50; MAX_PLUGIN_PACKAGE_SIZE",
    bad=({"data.bin": MAX_PACKAGE_BYTES},),
    good=({"data.bin": MAX_PACKAGE_BYTES - 64 * 1024},),
    fix=_REMOVE,
)
def too_large(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """The files of the plugin are larger than 50 MiB together."""
    files = plugin.files
    if files.size > MAX_PACKAGE_BYTES:
        largest = ", ".join(f"{file.path} ({_mebibytes(file.size)})" for file in files.largest(3))
        size = _mebibytes(files.size)
        yield Problem(f"the plugin has {size}; at most 50 MiB are allowed. Largest: {largest}")


def has_assets(plugin: Plugin) -> bool:
    """Return whether there is a folder of assets; without it, XI704 is the finding."""
    return any(path.startswith("_assets/") for path in plugin.files) or not plugin.lacks("_assets")


def _mebibytes(size: int) -> str:
    return f"{size / _MEBIBYTE:.1f} MiB"


@rule(
    "XI504",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit",
    bad=({f"data/{number}.txt": 0 for number in range(_MOST_FILES)},),
    good=({f"data/{number}.txt": 0 for number in range(_MOST_FILES - 20)},),
    fix=_REMOVE,
)
def too_many_files(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """The plugin has more than 5,000 files."""
    count = len(plugin.files)
    if count > _MOST_FILES:
        yield Problem(f"the plugin has {count:,} files; at most {_MOST_FILES:,} are allowed")


@rule(
    "XI506",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit",
    bad=({"«»models/llm/llm.py.bak": "x"},),
    good=({".difyignore": "*.bak\n", "models/llm/llm.py.bak": "x"},),
    fix=fix_in_files("Remove it, or list it in {}.difyignore."),
)
def leftover_packed(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """A file that some tool left behind is part of the plugin."""
    for path in map(PurePosixPath, plugin.files):
        is_leftover = path.name in LEFTOVER_NAMES or path.suffix in LEFTOVER_SUFFIXES
        if is_leftover and not tool_folder(str(path)):
            yield Problem(f"{plugin.path(str(path))} is packed", span=Span(str(path), 1, 1))


@rule(
    "XI507",
    Severity.REFUSED,
    Stage.START,
    source="daemon internal/core/local_runtime/subprocess.go: python -m",
    bad=(
        "meta:\n  runner:\n    entrypoint: «run»\n",
        {
            "manifest.yaml": "meta:\n  runner:\n    entrypoint: «main»\n",
            ".difyignore": "main.py\n",
        },
    ),
    good=("meta:\n  runner:\n    entrypoint: main\n",),
    fix="Add the module, or correct its name.",
)
def entrypoint_missing(meta: Meta, plugin: Plugin) -> Iterator[Problem]:
    """The module that starts the plugin is not among its files."""
    module = meta.runner.entrypoint.replace(".", "/")
    is_name = all(part.isidentifier() for part in module.split("/"))  # else XI110 reports it
    if (
        is_name
        and not module.endswith("/py")
        and all(map(plugin.lacks, (f"{module}.py", f"{module}/__main__.py")))
    ):
        yield Problem(plugin.missing(f"{module}.py"), at="runner.entrypoint")


@rule(
    "XI508",
    Severity.REFUSED,
    Stage.START,
    source="daemon internal/core/local_runtime/setup_python_environment.go",
    bad=({"pyproject.toml": None},),
    good=({"pyproject.toml": None, "requirements.txt": "dify_plugin>=0.9.0\nrequests\n"},),
    fix=fix_in_files("Add a {0}pyproject.toml or a {0}requirements.txt."),
)
def dependencies_missing(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """The plugin does not say what it requires, so the daemon does not make its environment."""
    files = ("pyproject.toml", "requirements.txt")
    if all(map(plugin.lacks, files)):
        reasons = [
            f"{name} is left out by {plugin.left_out[name]}"
            for name in files
            if name in plugin.left_out
        ]
        yield Problem("; ".join(reasons) or "there is no pyproject.toml and no requirements.txt")


@rule(
    "XI509",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit; daemon pkg/plugin_packager/decoder/helper.go: AvailableI18nReadme",
    bad=({"README.md": None},),
    good=({"README.md": "# Acme\n\nhttps://example.com/acme/dify\n"},),
    fix=fix_in_files("Add a {}README.md in English."),
)
def readme_missing(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """The plugin has no README.md, which the marketplace requires and Dify shows."""
    if plugin.lacks("README.md"):
        yield Problem(plugin.missing("README.md"))


@rule(
    "XI510",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit",
    bad=("privacy: «privacy.md»",),
    good=("privacy: PRIVACY.md", "privacy: https://example.com/privacy"),
    fix="Add the file, or correct its name.",
)
def privacy_missing(manifest: Manifest, plugin: Plugin) -> Iterator[Problem]:
    """The privacy statement is not among the plugin's files."""
    if manifest.privacy:
        path = str(PurePosixPath(manifest.privacy))
        if "://" not in manifest.privacy and plugin.lacks(path):
            yield Problem(plugin.missing(path), at="privacy")


RULES = (
    icon_missing,
    dark_icon_missing,
    plugin_icon_missing,
    too_large,
    too_many_files,
    leftover_packed,
    entrypoint_missing,
    dependencies_missing,
    readme_missing,
    privacy_missing,
)
