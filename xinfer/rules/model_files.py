"""Rules of where the provider's model files lie: patterns, lists of positions, folders."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.plugin.globs import Glob, globs
from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, rule
from xinfer.rules.values import did_you_mean
from xinfer.spec import ModelFiles, Provider, ProviderModels
from xinfer.spec.project import MODEL_FOLDERS, model_file

_MANIFEST = "daemon pkg/plugin_packager/decoder/helper.go: Manifest"
_SDK = "sdk entities/model/provider.py: validate_models"
_FOLDERS = tuple(MODEL_FOLDERS.values())
_PATTERN = Fix(
    spec="Leave models to the build, or write models/llm/*.yaml, from the plugin's root.",
    yaml="Write models/llm/*.yaml, from the plugin's root.",
)


def _models(predefined: str, position: str = "models/llm/_position.yaml") -> str:
    return f"models:\n  llm:\n    predefined: {predefined}\n    position: {position}\n"


@rule(
    "XI211",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_MANIFEST,
    bad=("position: «{llm: [acme-1]}»\n",),
    good=({"models/llm/_position.yaml": "- acme-1\n"},),
    fix=Fix(
        spec="Leave position out: the order of models is that of Project(models=…).",
        yaml="Move the order to a _position.yaml that models.<type>.position names.",
    ),
)
def idle_position(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """The order of models stands in the provider, where the daemon drops it.

    It reads the order from files as soon as `models` is a mapping.
    """
    if provider.position is not None and provider.models is not None:
        yield Problem("position has no effect beside models", at="position")


@rule(
    "XI212",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_MANIFEST}, filepath.Match; {_SDK}, Path.glob",
    bad=(_models("[«'models/llm/**/*.yaml'»]"), _models("[«./models/llm/*.yaml»]")),
    good=(_models("[models/llm/*.yaml]"),),
    fix=_PATTERN,
)
def glob_understood_twice(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A pattern means one thing to the SDK and another to the daemon.

    The daemon reads `**` as `*` and knows no `./`: the SDK loads the models, and Dify does not
    show them.
    """
    for glob in globs(provider):
        if "**" in glob.pattern or glob.pattern.startswith(("./", "../")):
            yield Problem(f"the daemon does not match the pattern {glob.pattern!r}", at=glob.at)


@rule(
    "XI213",
    Severity.REFUSED,
    Stage.START,
    source=f"{_SDK}, Path.glob; {_MANIFEST}, filepath.Match",
    bad=(
        _models("[models/llm/*.yaml, «''»]"),
        _models("[models/llm/*.yaml, «/models/llm/*.yaml»]"),
        _models("[models/llm/*.yaml, «'models/llm/[a.yaml'»]"),
    ),
    good=(_models("['models/llm/[a-z]*.yaml']"),),
    fix=_PATTERN,
)
def glob_refused(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A pattern is absolute, empty or without its closing bracket."""
    for glob in globs(provider):
        if not _is_pattern(glob.pattern):
            yield Problem(f"{glob.pattern!r} is not a pattern", at=glob.at)


def _is_pattern(text: str) -> bool:
    return bool(text) and not text.startswith("/") and text.count("[") == text.count("]")


@rule(
    "XI217",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_MANIFEST}; {_SDK}",
    bad=(_models("[models/llm/*.yaml, «models/*/acme-1.yaml»]"),),
    good=(_models("[models/llm/*.yaml]"),),
    fix="Match each file by one pattern.",
)
def overlapping_globs(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """Two patterns match the same file, so its model is declared twice."""
    first: dict[str, str] = {}
    for glob in globs(provider):
        for path in glob.matched(plugin.files):
            if path in first:
                text = f"{first[path]!r} and {glob.pattern!r} both match {path}"
                yield Problem(text, at=glob.at)
                return
            first[path] = glob.pattern


@rule(
    "XI218",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_MANIFEST}; {_SDK}",
    bad=(_models("[models/llm/*.yaml, «models/llm/*.yml»]"),),
    good=(_models("[models/llm/*.yaml]"),),
    fix="Correct the pattern, or leave it out.",
)
def glob_matches_nothing(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """A pattern matches no file, which neither the daemon nor the SDK reports."""
    for glob in globs(provider):
        if not _is_pattern(glob.pattern):
            continue
        if not any(glob.matched(plugin.files)) and not plugin.is_unpackable(glob.pattern):
            yield Problem(f"{glob.pattern!r} matches no file", at=glob.at)


@rule(
    "XI219",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_MANIFEST}; {_SDK}",
    bad=(
        {
            "provider/acme.yaml": _models("[models/llm/*.yaml, «models/mixed/*.yaml»]"),
            "models/mixed/guard-2.yaml": "model: guard-2\nmodel_type: moderation\n"
            "model_properties: {}\n",
        },
    ),
    good=(
        {
            "models/moderation/guard-2.yaml": "model: guard-2\nmodel_type: moderation\n"
            "model_properties: {}\n",
        },
    ),
    fix="Move the file to the folder of its type.",
)
def model_in_other_folder(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """A model lies among those of another type: its own type counts, and its position is lost."""
    models = plugin.project.models
    by_file = {model_file(model): model for model in models if model.model_type in MODEL_FOLDERS}
    for glob in globs(provider):
        for path in glob.matched(plugin.files):
            model = by_file.get(path)
            if model is not None and MODEL_FOLDERS[model.model_type] != glob.folder:
                text = f"{path} is under models.{glob.folder}, and of type {model.model_type}"
                yield Problem(text, at=glob.at)


@rule(
    "XI224",
    Severity.REFUSED,
    Stage.PACKING,
    source=_MANIFEST,
    bad=(_models("[models/llm/*.yaml]", "«models/llm/order.yaml»"),),
    good=(_models("[models/llm/*.yaml]"),),
    fix="Correct the path, or add the file.",
)
def position_missing(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """The list of positions that the provider names is not among the plugin's files."""
    for folder in _FOLDERS:
        position = getattr(getattr(provider.models, folder, None), "position", None)
        if position and plugin.lacks(position):
            yield Problem(plugin.missing(position), at=f"models.{folder}.position")


@rule(
    "XI225",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_MANIFEST,
    bad=("models:\n  llm: «{predefined: [models/llm/*.yaml]}»\n",),
    good=(_models("[models/llm/*.yaml]"),),
    fix=Fix(
        spec="Leave models to the build.",
        yaml="Add position: with the path of the file.",
    ),
)
def position_unread(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """There is a list of positions that the provider does not name, so it has no effect."""
    for folder in _FOLDERS:
        files = getattr(provider.models, folder, None)
        path = f"models/{folder}/_position.yaml"
        if not plugin.is_read(plugin.provider_file, f"models.{folder}"):
            continue
        if files and files.predefined and not files.position and path in plugin.files:
            yield Problem(f"nothing reads {path}", at=f"models.{folder}")


@rule(
    "XI226",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_MANIFEST}; {_SDK}",
    bad=(
        {
            "provider/acme.yaml": "models:\n  llm: «{predefined: [models/llm/acme-1.yaml], "
            "position: models/llm/_position.yaml}»\n",
            "models/llm/acme-2.yaml": "model: acme-2\n",
        },
        {
            "provider/acme.yaml": "models:\n  llm: «{predefined: [models/llm/*.yaml], "
            "position: models/llm/_position.yaml}»\n",
            "models/llm/acme-2.yml": "model: acme-2\n",
        },
    ),
    good=(_models("[models/llm/*.yaml]"),),
    fix=_PATTERN,
)
def model_unmatched(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """A YAML file lies among the models, and no pattern matches it: its model is not loaded."""
    if not all(_is_pattern(glob.pattern) for glob in globs(provider)):
        return
    if provider.models and provider.models.extra_keys:
        return  # a misspelt key, of which another rule speaks
    matched = {path for glob in globs(provider) for path in glob.matched(plugin.files)}
    for folder in _FOLDERS:
        files = getattr(provider.models, folder, None)
        unmatched = sorted(
            path
            for path in plugin.files
            if path.startswith(f"models/{folder}/")
            and path.endswith((".yaml", ".yml"))
            and not path.endswith(("_position.yaml", "_position.yml"))
            and path not in matched
        )
        is_read = plugin.is_read(plugin.provider_file, f"models.{folder}")
        if unmatched and is_read and (files is None or _matches_all(files, plugin)):
            others = f", nor {len(unmatched) - 1} more" if unmatched[1:] else ""
            at = f"models.{folder}" if files else "models"
            yield Problem(f"no pattern matches {unmatched[0]}{others}", at=at)


def _matches_all(files: ModelFiles, plugin: Plugin) -> bool:
    """Return whether each pattern matches some file; of one that does not, another rule speaks."""
    patterns = (Glob("", "", pattern) for pattern in files.predefined)
    return all(any(glob.matched(plugin.files)) for glob in patterns)


@rule(
    "XI227",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_SDK}; daemon pkg/entities/plugin_entities/model_declaration.go: UnmarshalYAML",
    bad=("models:\n  text-embedding: «{predefined: [models/text_embedding/*.yaml]}»\n",),
    good=("models:\n  text_embedding: {predefined: []}\n",),
    fix="Use llm, text_embedding, rerank, tts, speech2text and moderation.",
)
def unknown_folder(models: ProviderModels, _: Plugin) -> Iterator[Problem]:
    """A key under `models` is not one of the six that are read, so its models are not loaded."""
    for key in models.extra_keys:
        if key not in _FOLDERS:
            near = did_you_mean(key, _FOLDERS)
            yield Problem(f"nothing reads models.{key}{near}", at=key)


RULES = (
    idle_position,
    glob_understood_twice,
    glob_refused,
    overlapping_globs,
    glob_matches_nothing,
    model_in_other_folder,
    position_missing,
    position_unread,
    model_unmatched,
    unknown_folder,
)
