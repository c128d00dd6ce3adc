"""A plugin that was read as the modules of a project: ``provider_spec.py`` and its models."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from attrs import define, field

import xinfer.spec
from xinfer.importer.constants import Constants
from xinfer.importer.credentials import attributes_of, credentials_class
from xinfer.importer.customizable import customizable_model
from xinfer.importer.expressions import Expressions, UnwritableValue
from xinfer.importer.imported import Imported, read_form
from xinfer.importer.names import Names, capitalized
from xinfer.importer.python import Module
from xinfer.importer.runtime import DeclaredRuntime
from xinfer.spec import CredentialSchema, Model, ModelCredentialSchema, Project, Provider
from xinfer.spec.declaration import evolve
from xinfer.spec.project import MODEL_FOLDERS, complete
from xinfer.yaml import to_data

SPEC = "provider_spec.py"
MODELS = "provider_models"

_MANY = 20
"""Models; more of them are declared in modules of their own."""

_MOST_COMMENTS = 5_000
"""ruff formats them in time by the square of their number."""
_FOLLOWING = ("supported_model_types", "configurate_methods", "models", "extra")
"""Fields of the provider that follow from the rest of a project."""

_TIMES = frozenset({"UTC", "date", "datetime", "timedelta", "timezone"})


def modules_of(imported: Imported) -> dict[str, str]:
    """Write every module of the project, by path; the spec is the last one.

    :raises UnwritableValue: a value has no place in Python source.
    """
    models: dict[str, list[Model]] = {}
    for model in imported.models:
        models.setdefault(MODEL_FOLDERS.get(model.model_type, "other"), []).append(model)
    sources: dict[str, str] = {}
    if len(imported.models) > _MANY:
        sources[f"{MODELS}/__init__.py"] = '"""The models, by type."""\n'
        for folder, same_type in models.items():
            expressions = Expressions(imported.finder)
            body = _models(same_type, expressions)
            about = f"Models of type {folder}."
            sources[f"{MODELS}/{folder}.py"] = str(_module(about, expressions, body))
    modules = tuple(models) if sources else ()
    sources[SPEC] = str(_Spec(imported, modules).module())
    return sources


def _models(models: list[Model], expressions: Expressions) -> list[ast.stmt]:
    """Declare models, and above them what they share."""
    constants = Constants()
    expressions.names.add("Model")
    body: list[ast.stmt] = [
        ast.Assign([ast.Name(name)], expression)
        for name, expression in constants.gather(models, expressions)
    ]
    kind = ast.parse("tuple[Model, ...]", mode="eval").body
    body.append(ast.AnnAssign(ast.Name("MODELS"), kind, expressions.of(tuple(models)), simple=1))
    return body


def _module(
    about: str, expressions: Expressions, body: list[ast.stmt], modules: Iterable[str] = ()
) -> Module:
    names = expressions.names
    imports = (
        {"datetime": names & _TIMES, "decimal": names & {"Decimal"}},
        {"xinfer.spec": names & set(xinfer.spec.__all__)},
        {MODELS: modules},
    )
    return Module(about, imports, body, expressions.comments)


@define
class _Spec:
    """Makes ``provider_spec.py``.

    :param modules: those that hold the models, where there are many.
    """

    imported: Imported
    modules: tuple[str, ...]
    _classes: list[ast.ClassDef] = field(factory=list, init=False)
    _reading: ast.ClassDef | None = field(default=None, init=False)
    _expressions: Expressions = field(init=False)
    _names: Names = field(factory=Names, init=False)

    def __attrs_post_init__(self) -> None:
        self._expressions = Expressions(self.imported.finder)

    def module(self) -> Module:
        body: list[ast.stmt] = []
        if self.imported.models and not self.modules:
            body = _models(list(self.imported.models), self._expressions)
            # Labels of models and of forms seldom agree; constants are for models alone.
            self._expressions.constants = {}
        arguments: dict[str, object] = {"manifest": self._manifest(), "provider": self._provider()}
        if self._classes:
            arguments["credentials"] = ast.Name(self._read_class().name)
        if self.imported.runtime:
            arguments |= self._runtime(self.imported.runtime)
        if self.modules:
            lists = [
                ast.Starred(ast.Attribute(ast.Name(module), "MODELS")) for module in self.modules
            ]
            arguments["models"] = ast.Tuple([*lists])
        elif self.imported.models:
            arguments["models"] = ast.Name("MODELS")
        if self.imported.ignore:
            arguments["ignore"] = self.imported.ignore
        project = self._expressions.call("Project", **arguments)
        declaration = ast.Assign([ast.Name("project")], project)
        if rest := self.imported.finder.rest():
            if len(rest) > _MOST_COMMENTS:
                limit = f"{_MOST_COMMENTS:,} comments about no value"
                raise UnwritableValue(f"its YAML has more than {limit}: remove some")
            self._expressions.comments[declaration] = rest
        body = [*self._classes, *body, declaration]
        about = "A model provider for Dify, declared once."
        return _module(about, self._expressions, body, self.modules)

    def _read_class(self) -> ast.ClassDef:
        """Return the class of the project; a runtime reads by it what either form holds."""
        return self._reading or self._classes[0]

    def _runtime(self, runtime: DeclaredRuntime) -> dict[str, object]:
        """Declare what stands in the place of the plugin's own Python."""
        names = ("base_url", "validated_by", "sends", "user")
        server = {name: value for name in names if (value := getattr(runtime, name))}
        arguments: dict[str, object] = {
            "runtime": self._expressions.call("OpenAICompatible", **server)
        }
        if "customizable-model" in self.imported.provider.configurate_methods:
            settings = attributes_of(self._read_class())
            arguments["customizable_models"] = tuple(
                customizable_model(kind, settings) for kind in runtime.model_types
            )
        return arguments

    def _manifest(self) -> ast.Call:
        manifest = self.imported.manifest
        usual = (f"provider/{self.imported.provider.provider}.yaml",)
        plugins = manifest.plugins
        follows = (
            plugins.models == usual and plugins.explicit == {"models"} and not plugins.extra_keys
        )
        call = self._expressions.arguments(manifest, without={"plugins"} if follows else ())
        meta = _derived(self.imported).manifest.meta
        if meta.minimum_dify_version != manifest.meta.minimum_dify_version:
            self._leave_out_minimum_dify_version(call)
        return call

    def _leave_out_minimum_dify_version(self, manifest: ast.Call) -> None:
        """Declare that the manifest names no version of Dify, although one would follow."""
        meta = next((k.value for k in manifest.keywords if k.arg == "meta"), None)
        if not isinstance(meta, ast.Call):
            meta = self._expressions.call("Meta")
            manifest.keywords.append(ast.keyword("meta", meta))
        meta.keywords.append(ast.keyword("minimum_dify_version", ast.Constant(None)))

    def _provider(self) -> ast.Call:
        provider = self.imported.provider
        forms = self._forms()
        derived = _derived(self.imported).provider
        absent: dict[str, object] = {
            name: None if name in ("models", "extra") else ()
            for name in _FOLLOWING
            if name not in provider.explicit and getattr(derived, name)
        }
        follows = {
            name
            for name in _FOLLOWING
            if name in provider.explicit and _same(getattr(derived, name), getattr(provider, name))
        }
        without = {"provider_credential_schema", "model_credential_schema", *follows}
        if self.imported.runtime:
            without.add("extra")
            absent.pop("extra", None)
        call = self._expressions.arguments(provider, without=without)
        more = self._expressions.call("Provider", **forms, **absent).keywords
        last = [keyword for keyword in call.keywords if keyword.arg == "extra_keys"]
        call.keywords = [*(k for k in call.keywords if k not in last), *more, *last]
        return call

    def _forms(self) -> dict[str, object]:
        """Make the classes of the forms; return what the provider must say of them."""
        provider = self.imported.provider
        whole, of_model = provider.provider_credential_schema, provider.model_credential_schema
        arguments: dict[str, object] = {}
        if whole:
            about = "What a user enters to use the provider."
            name = self._class("Credentials", about, whole.credential_form_schemas)
            if whole.extra_keys:
                form = self._expressions.call("provider_form", name, extra_keys=whole.extra_keys)
                arguments["provider_credential_schema"] = form
        elif of_model:
            arguments["provider_credential_schema"] = None
        if of_model:
            arguments["model_credential_schema"] = self._model_form(of_model)
            if whole and self.imported.runtime:
                self._class_that_reads(whole, of_model)
            if whole and self._reading and self._reading is not self._classes[0]:
                form = self._expressions.call("provider_form", ast.Name(self._classes[0].name))
                arguments.setdefault("provider_credential_schema", form)
        elif whole and "customizable-model" in provider.configurate_methods:
            arguments["model_credential_schema"] = None
        return arguments

    def _class_that_reads(self, whole: CredentialSchema, of_model: ModelCredentialSchema) -> None:
        """Choose the class that reads what either form holds, or make one."""
        form = read_form(self.imported.provider)
        forms = (whole.credential_form_schemas, of_model.credential_form_schemas)
        if form not in forms:
            self._class("StoredCredentials", "What is stored, of either form.", form)
        self._reading = self._classes[0 if form == forms[0] else -1]

    def _model_form(self, schema: ModelCredentialSchema) -> ast.Call:
        whole = self.imported.provider.provider_credential_schema
        if whole and whole.credential_form_schemas == schema.credential_form_schemas:
            name = ast.Name(self._classes[0].name)
        else:
            about = "What a user enters to add a model."
            name = self._class("ModelCredentials", about, schema.credential_form_schemas)
        extra = {"extra_keys": schema.extra_keys} if schema.extra_keys else {}
        return self._expressions.call("model_form", name, model=schema.model, **extra)

    def _class(self, ending: str, about: str, form: Iterable[Any]) -> ast.Name:
        name = self._names.free(capitalized(self.imported.provider.provider) + ending)
        definition = credentials_class(
            name,
            about,
            form,
            self._expressions,
            self.imported.finder,
            self.imported.numbers,
            self.imported.runtime.sets if self.imported.runtime else {},
        )
        self._classes.append(definition)
        return ast.Name(name)


def _derived(imported: Imported) -> Project:
    """Return the project that leaves out all that can follow."""
    minimal = Provider(provider=imported.provider.provider, label=imported.provider.label)
    manifest = evolve(imported.manifest)
    return complete(Project(manifest=manifest, provider=minimal, models=imported.models))


def _same(left: Any, right: Any) -> bool:
    if hasattr(left, "explicit") and hasattr(right, "explicit"):
        return to_data(left) == to_data(right)
    return bool(left == right)
