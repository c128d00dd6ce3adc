"""All that is declared for one plugin, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import field, frozen

from xinfer.spec.credentials import Credentials, fields, model_form, provider_form
from xinfer.spec.declaration import Declaration, evolve, span_from
from xinfer.spec.dify_versions import minimum_dify_version
from xinfer.spec.form import ModelName
from xinfer.spec.i18n import I18n
from xinfer.spec.manifest import Extensions, Manifest
from xinfer.spec.models import CustomizableModel, Model, ModelType
from xinfer.spec.provider import (
    ConfigurateMethod,
    ModelFiles,
    Provider,
    ProviderExtra,
    ProviderModels,
    PythonSources,
)
from xinfer.spec.runtime import OpenAICompatible

MODEL_FOLDERS = {
    ModelType.LLM: "llm",
    ModelType.TEXT_EMBEDDING: "text_embedding",
    ModelType.RERANK: "rerank",
    ModelType.SPEECH2TEXT: "speech2text",
    ModelType.TTS: "tts",
    ModelType.MODERATION: "moderation",
}
"""Where the models of a type are: ``models/<folder>/``, and ``models.<folder>`` in the YAML.
The daemon and the SDK read these six, and silently ignore others, e.g. ones with a hyphen."""


@frozen
class Ignore(Declaration):
    """Findings of ``xinfer check`` that are left out.

    A comment, ``# xinfer: ignore[XI644] reason``, does the same for a single line.

    :param files: the files that the findings are about, as a pattern: ``*`` stands for any
        characters. A file is named as the plugin has it, e.g. ``models/llm/*.yaml``, or from the
        folder of the spec, e.g. ``plugin/README.md``.
    :param code: of the rule, e.g. ``XI644``.
    :param reason: why the rule does not hold there.
    """

    files: str
    code: str
    reason: str = field(kw_only=True)


@frozen(kw_only=True)
class Project(Declaration):
    """A plugin; ``provider_spec.py`` calls it ``project``.

    :param manifest: becomes ``manifest.yaml``.
    :param provider: becomes ``provider/<name>.yaml``; if absent, it has the manifest's name, label
        and icons.
    :param credentials: the class that both forms are made from, and that the code reads.
    :param models: predefined models in the order of Dify's list; each becomes
        ``models/<type>/<model>.yaml``.
    :param customizable_models: descriptions of the models that users add, one for each type.
    :param runtime: what serves the models; if absent, the plugin's own Python does.
    :param requirements: of the plugin's own Python; the build adds those of xinfer.
    :param files: the folder beside ``provider_spec.py`` whose files are copied into the plugin:
        icons, documents, the plugin's own Python.
    :param ignore: findings of ``xinfer check`` that are left out, with the reason.
    """

    manifest: Manifest
    provider: Provider = field()
    credentials: type[Credentials] | None = None
    models: tuple[Model, ...] = ()
    customizable_models: tuple[CustomizableModel, ...] = ()
    runtime: OpenAICompatible | None = None
    requirements: tuple[str, ...] = ("dify_plugin>=0.9.0",)
    files: str = "plugin"
    ignore: tuple[Ignore, ...] = ()

    @provider.default
    def _provider_of_manifest(self) -> Provider:
        manifest = self.manifest
        return Provider(
            provider=manifest.name,
            label=manifest.label,
            icon_small=I18n(manifest.icon),
            icon_small_dark=I18n(manifest.icon_dark) if manifest.icon_dark else None,
        )

    @property
    def provider_file(self) -> str:
        """The path of the provider's YAML, from the plugin's root."""
        files = self.manifest.plugins.models
        return files[0] if files else f"provider/{self.provider.provider}.yaml"

    @property
    def model_types(self) -> tuple[ModelType, ...]:
        """The types of all declared models, each once, in the order of declaration."""
        predefined = (model.model_type for model in self.models)
        customizable = (model.model_type for model in self.customizable_models)
        return tuple(dict.fromkeys((*predefined, *customizable)))

    def predefined_model(self, model_type: str, name: str) -> Model | None:
        """Return a predefined model, or ``None`` if it is not declared."""
        of_type = (model for model in self.models if model.model_type == model_type)
        return next((model for model in of_type if model.model == name), None)

    def customizable_model(self, model_type: str) -> CustomizableModel:
        """Return the description of the models of one type.

        :raises KeyError: no model of that type is declared.
        """
        for model in self.customizable_models:
            if model.model_type == model_type:
                return model
        raise KeyError(model_type)


_SPECIAL = re.compile(r"[^\w.-]")
"""Characters that have a meaning in a path or a glob."""


def model_file(model: Model) -> str:
    """Return the path of a predefined model's YAML file, from the plugin's root."""
    name = _SPECIAL.sub("-", model.model)
    folder = MODEL_FOLDERS.get(model.model_type, str(model.model_type))
    return model.file or f"models/{folder}/{name}.yaml"


def positions(provider: Provider, models: Iterable[Model]) -> Iterator[tuple[str, list[Model]]]:
    """Yield the path of each list of positions, with the models that it orders."""
    models = tuple(models)
    for kind, folder in MODEL_FOLDERS.items():
        files: ModelFiles | None = getattr(provider.models, folder, None)
        if files and files.position:
            yield files.position, [model for model in models if model.model_type is kind]


def model_source(model_type: ModelType) -> str:
    """Return the path of the module that serves a model type, from the plugin's root."""
    folder = MODEL_FOLDERS.get(model_type, str(model_type))
    return f"models/{folder}/{folder}.py"


def complete(project: Project) -> Project:
    """Fill in the fields that follow from others: forms, file names, model types, Dify's version.

    Fields that were given stay as they are; one that was given ``None`` stays absent.
    """
    with span_from(project.provider):
        return _complete(project)


def _complete(project: Project) -> Project:
    provider = project.provider
    is_given = "configurate_methods" in provider.explicit
    methods = provider.configurate_methods if is_given else _methods(project)
    derived: dict[str, Any] = {
        "supported_model_types": project.model_types,
        "configurate_methods": methods,
        "models": _model_files(project),
        "extra": ProviderExtra(
            python=PythonSources(
                provider_source=f"provider/{provider.provider}.py",
                model_sources=tuple(
                    model_source(kind) for kind in project.model_types if kind in MODEL_FOLDERS
                ),
            )
        ),
    }
    if project.credentials is not None:
        derived["provider_credential_schema"] = provider_form(project.credentials)
        if ConfigurateMethod.CUSTOMIZABLE_MODEL in methods:
            name = _model_name(project.credentials)
            derived["model_credential_schema"] = model_form(project.credentials, model=name)
    absent = {name: value for name, value in derived.items() if name not in provider.explicit}
    manifest = project.manifest
    if "plugins" not in manifest.explicit:
        files = (f"provider/{provider.provider}.yaml",)
        manifest = evolve(manifest, plugins=Extensions(models=files))
    manifest = _with_minimum_dify_version(manifest, project)
    return evolve(project, provider=evolve(provider, **absent), manifest=manifest)


def _with_minimum_dify_version(manifest: Manifest, project: Project) -> Manifest:
    meta = manifest.meta
    is_given = "minimum_dify_version" in meta.explicit | meta.extra_keys.keys()
    minimum = None if is_given else minimum_dify_version(project)
    if minimum is None:
        return manifest
    return evolve(manifest, meta=evolve(meta, minimum_dify_version=minimum))


def _methods(project: Project) -> tuple[ConfigurateMethod, ...]:
    declared = (
        (ConfigurateMethod.PREDEFINED_MODEL, project.models),
        (ConfigurateMethod.CUSTOMIZABLE_MODEL, project.customizable_models),
    )
    return tuple(method for method, models in declared if models)


def _model_name(credentials: type[Credentials]) -> ModelName | None:
    """Ask for the name in the words of the field that declares it, if there is one."""
    forms = {
        field.form.variable: field.form for field in fields(credentials) if field.asked_by_dify
    }
    form = forms.get("model_name")
    return ModelName(label=form.label, placeholder=form.placeholder) if form else None


def _model_files(project: Project) -> ProviderModels | None:
    types = {model.model_type for model in project.models} & set(MODEL_FOLDERS)
    if not types:
        return None
    files: dict[str, Any] = {
        MODEL_FOLDERS[kind]: ModelFiles(
            predefined=(f"models/{MODEL_FOLDERS[kind]}/*.yaml",),
            position=f"models/{MODEL_FOLDERS[kind]}/_position.yaml",
        )
        for kind in types
    }
    return ProviderModels(**files)
