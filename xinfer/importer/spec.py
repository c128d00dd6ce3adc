"""What was read, written as a project: ``provider_spec.py``, and the files that go with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xinfer.spec
from xinfer.build import load_spec
from xinfer.importer.comments import CommentFinder
from xinfer.importer.constants import Constants
from xinfer.importer.credentials import credentials_class
from xinfer.importer.folder import Imported, ImportFailed
from xinfer.importer.python import Source
from xinfer.spec import (
    MODEL_FOLDERS,
    Model,
    ModelCredentialSchema,
    Project,
    Provider,
    complete,
    evolve,
    model_file,
)
from xinfer.yaml import to_data

_MANY = 20
"""Models; more of them are declared in modules of their own."""

_MODULES = "provider_models"


def write_spec(imported: Imported, out: Path) -> Path:
    """Write the project into a new folder and return its spec, which builds the same YAML.

    :raises ImportFailed: something stands there already, or the spec would not build the same;
        nothing is written then.
    """
    if out.exists() and any(out.iterdir()):
        raise ImportFailed(f"{out} is not empty: name another folder with -o.")
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for path, content in _files(imported):
            target = staging / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        _format(staging)
        _compare(load_spec(staging / "provider_spec.py").project, imported)
        staging.chmod(0o755)
        if out.exists():
            out.rmdir()
        staging.rename(out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return out / "provider_spec.py"


def _files(imported: Imported) -> Iterator[tuple[str, bytes]]:
    for path, text in _sources(imported).items():
        yield path, text.encode()
    for path, content in imported.carried.items():
        yield f"plugin/{path}", content


def _sources(imported: Imported) -> dict[str, str]:
    """Write every Python file of the project."""
    comments = imported.finder
    models: dict[str, list[Model]] = {}
    for model in imported.models:
        models.setdefault(MODEL_FOLDERS.get(model.model_type, "other"), []).append(model)
    sources: dict[str, str] = {}
    if len(imported.models) > _MANY:
        for folder, listed in models.items():
            sources[f"{_MODULES}/{folder}.py"] = _models_module(folder, listed, comments)
        sources[f"{_MODULES}/__init__.py"] = (
            f'"""The models of {imported.provider.label}, by type."""\n'
        )
    sources["provider_spec.py"] = _spec(imported, list(models) if sources else None, comments)
    return sources


def _models_module(folder: str, models: list[Model], comments: CommentFinder) -> str:
    body, source = _models(models, comments)
    return _module(f"Models of type {folder}.", source, body)


def _models(models: list[Model], comments: CommentFinder) -> tuple[str, Source]:
    """Write models, and above them what they share."""
    constants = Constants()
    source = Source(constants=constants.names, comments=comments)
    shared = [f"{name} = {expression}\n" for name, expression in constants.gather(models, source)]
    listed = "".join(f"{source.of(model)},\n" for model in models)
    return "\n".join([*shared, f"\nMODELS: tuple[Model, ...] = (\n{listed})\n"]), source


def _spec(imported: Imported, modules: list[str] | None, comments: CommentFinder) -> str:
    provider, plugin = imported.provider, imported.manifest
    parts: list[str] = []
    models = ""
    source = Source(comments=comments)
    if modules:
        models = f"({''.join(f'*{module}.MODELS, ' for module in modules)})"
    elif imported.models:
        body, source = _models(list(imported.models), comments)
        parts.append(body)
        models = "MODELS"
    # Labels of models and of forms seldom agree; constants are for models alone.
    source = Source(comments=comments, names=source.names)
    classes, forms = _credentials(imported, source, comments)
    source.names |= {"Project"}
    said = [*forms, *_derived(imported)]
    without = {"provider_credential_schema", "model_credential_schema", *_DERIVED}
    kept = [name for name in _DERIVED if not any(f"{name}=" in text for text in said)]
    explicit = [
        f"{name}={source.of(getattr(provider, name))}"
        for name in kept
        if name in provider.explicit and name not in _follows(imported)
    ]
    without_plugins = {"plugins"} if "plugins" in _plugin_follows(imported) else set()
    credentials = ["credentials=" + name for name in classes][:1]
    of_provider = [source.arguments(provider, without=without), *explicit, *said]
    arguments = [
        f"manifest=Manifest({source.arguments(plugin, without=without_plugins)})",
        f"provider=Provider({', '.join(of_provider)})",
        *credentials,
        *([f"models={models}"] if models else []),
    ]
    source.names |= {"Manifest", "Provider"}
    parts = [*classes.values(), *parts, f"project = Project({', '.join(arguments)})\n"]
    about = f"{provider.label} for Dify, declared once."
    extra = f"from {_MODULES} import {', '.join(sorted(modules))}\n" if modules else ""
    return _module(about, source, "\n\n".join(parts), extra)


def _credentials(
    imported: Imported, source: Source, comments: CommentFinder
) -> tuple[dict[str, str], list[str]]:
    """Write the classes of the forms, and what the provider must say of them."""
    provider = imported.provider
    base = "".join(w.capitalize() for w in provider.provider.replace("-", "_").split("_"))
    base = base if base[:1].isalpha() else f"Provider{base}"
    classes: dict[str, str] = {}
    said: list[str] = []
    whole, of_model = provider.provider_credential_schema, provider.model_credential_schema
    if whole:
        name = f"{base}Credentials"
        about = f"What a user enters to use {_plain(provider.label.en_US)}."
        form = whole.credential_form_schemas
        classes[name] = credentials_class(name, about, form, source, comments)
        if whole.extra_keys:
            source.names.add("provider_form")
            keys = source.of(whole.extra_keys)
            said.append(f"provider_credential_schema=provider_form({name}, extra_keys={keys})")
    elif of_model:
        said.append("provider_credential_schema=None")
    if of_model:
        said.append(_model_form(of_model, base, classes, source, imported))
    elif whole and "customizable-model" in provider.configurate_methods:
        said.append("model_credential_schema=None")
    return classes, said


def _model_form(
    schema: ModelCredentialSchema,
    base: str,
    classes: dict[str, str],
    source: Source,
    imported: Imported,
) -> str:
    whole = imported.provider.provider_credential_schema
    same = whole and whole.credential_form_schemas == schema.credential_form_schemas
    name = f"{base}Credentials" if same else f"{base}ModelCredentials"
    if not same:
        about = f"What a user enters to add a model of {_plain(imported.provider.label.en_US)}."
        form = schema.credential_form_schemas
        classes[name] = credentials_class(name, about, form, source, imported.finder)
    source.names.add("model_form")
    keys = f", extra_keys={source.of(schema.extra_keys)}" if schema.extra_keys else ""
    return f"model_credential_schema=model_form({name}, model={source.of(schema.model)}{keys})"


_DERIVED = ("supported_model_types", "configurate_methods", "models", "extra")


def _bare(imported: Imported) -> Project:
    """Make the project that says nothing of what can follow."""
    bare = Provider(provider=imported.provider.provider, label=imported.provider.label)
    plugin = evolve(imported.manifest)
    return complete(Project(manifest=plugin, provider=bare, models=imported.models))


def _follows(imported: Imported) -> set[str]:
    """Name the fields that need not be said, because they follow from the rest."""
    derived = _bare(imported).provider
    provider = imported.provider
    return {
        name
        for name in _DERIVED
        if name in provider.explicit and _same(getattr(derived, name), getattr(provider, name))
    }


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "explicit") and hasattr(other, "explicit"):
        return to_data(one) == to_data(other)
    return bool(one == other)


def _derived(imported: Imported) -> list[str]:
    """Say of what was absent that it stays absent."""
    derived = _bare(imported).provider
    return [
        f"{name}=None" if name in ("models", "extra") else f"{name}=()"
        for name in _DERIVED
        if name not in imported.provider.explicit and getattr(derived, name)
    ]


def _plugin_follows(imported: Imported) -> set[str]:
    plugins = imported.manifest.plugins
    usual = (f"provider/{imported.provider.provider}.yaml",)
    return {"plugins"} if plugins.models == usual and plugins.explicit == {"models"} else set()


def _module(about: str, source: Source, body: str, extra: str = "") -> str:
    names = source.names | {"Model"} if "tuple[Model" in body else source.names
    standard = {
        "datetime": sorted({"UTC", "date", "datetime", "timedelta", "timezone"} & names),
        "decimal": sorted({"Decimal"} & names),
    }
    lines = [f'"""{_plain(about)}"""\n']
    lines += [
        f"from {module} import {', '.join(used)}" for module, used in standard.items() if used
    ]
    ours = sorted(name for name in names if name in xinfer.spec.__all__)
    lines.append(f"\n{extra}from xinfer.spec import {', '.join(ours)}\n\n")
    return "\n".join([*lines, body])


def _plain(text: str) -> str:
    return " ".join(text.replace("\\", "/").replace('"', "'").split())


def _format(folder: Path) -> None:
    """Format as ruff does, which also sorts the imports; without ruff the spec is merely plain."""
    # Beside Python where ruff is installed; as a module it would take Python's start as well.
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ruff = shutil.which("ruff", path=beside)
    if ruff is None:
        return
    options = ["--quiet", "--isolated", "--line-length=100", str(folder / "provider_spec.py")]
    modules = folder / _MODULES
    options += [str(modules)] if modules.is_dir() else []
    for command in (["check", "--select=I", "--fix", f"--config=src=['{folder}']"], ["format"]):
        subprocess.run([ruff, *command, *options], check=False, capture_output=True)  # noqa: S603


def _compare(project: Project, imported: Imported) -> None:
    """Make sure that the spec says what was read, key for key."""
    project = complete(project)
    expected = {
        "manifest.yaml": to_data(imported.manifest),
        imported.manifest.plugins.models[0]: to_data(imported.provider),
        **{model_file(model): to_data(model) for model in imported.models},
    }
    said = {
        "manifest.yaml": to_data(project.manifest),
        project.provider_file: to_data(project.provider),
        **{model_file(model): to_data(model) for model in project.models},
    }
    for path in expected.keys() | said.keys():
        if expected.get(path) != said.get(path):
            raise ImportFailed(
                f"{path} would not be built as it was read. This is a mistake in xinfer: please "
                "report it, with this file."
            )
