"""Rules of what the SDK registers: the provider's class and one class for each type of model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import (
    Entry,
    Method,
    Served,
    entries_by_kind,
    find,
    may_hold_more,
    missing,
    providers_in,
    served,
)
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import Own
from xinfer.rules.python.sdk import Call
from xinfer.rules.python.signatures import misfit
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import FUNCTIONS, body_nodes
from xinfer.rules.rule import Problem, fix_in_files, rule
from xinfer.spec.project import MODEL_FOLDERS

_INIT = {"provider": Call(2)}
_LEAST_PARTS = 3
_REGISTRATION = "sdk core/plugin_registration.py: PluginRegistration._resolve_model_providers"
_SINGLE = "sdk core/utils/class_loader.py: load_single_subclass_from_source"
_MULTIPLE = "sdk core/utils/class_loader.py: get_subclasses_from_module"
_PROVIDER, _LLM = "provider/acme.py", "models/llm/llm.py"
_YAML = "provider/acme.yaml"
_SOURCES = "extra:\n  python:\n    model_sources:\n      - models/moderation/moderation.py\n"
_OTHER = f"{_SOURCES}      - models/llm/other.py\n"
_COMPATIBLE = "dify_plugin.OAICompatLargeLanguageModel"
_COMPATIBLE_MODEL = f"import dify_plugin\n\n\nclass AcmeModel({_COMPATIBLE}):\n    pass\n"
_CHECKS = """\
    def validate_provider_credentials(self, credentials):
        raise CredentialsValidateFailedError(credentials["api_key"])
"""
_COMPATIBLE_PROVIDER = {
    _PROVIDER: f"import dify_plugin\nclass AcmeProvider(dify_plugin.OAICompatProvider):\n{_CHECKS}"
}


@rule(
    "XI611",
    Severity.REFUSED,
    Stage.START,
    source=_SINGLE,
    bad=({_PROVIDER: "class AcmeProvider:\n    pass\n«»"},),
    good=(_COMPATIBLE_PROVIDER,),
    fix="Derive a class from dify_plugin.ModelProvider.",
)
def provider_class_missing(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The provider's module has no class of a provider; the SDK refuses to start."""
    module = code.provider_source
    if module is None or providers_in(code, module) or may_hold_more(code, module):
        return
    yield module.problem(f"{module.path} has no class derived from ModelProvider")


@rule(
    "XI612",
    Severity.REFUSED,
    Stage.START,
    source=_SINGLE,
    bad=(
        {
            _PROVIDER: "from dify_plugin import «OAICompatProvider»\n"
            f"class AcmeProvider(OAICompatProvider):\n{_CHECKS}"
        },
    ),
    good=(_COMPATIBLE_PROVIDER,),
    fix="Keep one: import dify_plugin, and derive from dify_plugin.OAICompatProvider.",
)
def provider_classes_many(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The provider's module has names for several classes of a provider; the SDK refuses to start.

    It takes every class that it finds by name there, those that are imported to derive from as
    well. A class that is reached through its module, as in ``dify_plugin.OAICompatProvider``, has
    no name there.
    """
    module = code.provider_source
    entries = [entry for entry in providers_in(code, module) if entry.certain] if module else []
    if module is not None and len(entries) > 1:
        extra = next((entry for entry in entries if isinstance(entry.target, str)), entries[-1])
        names = ", ".join(entry.name for entry in entries)
        yield module.problem(
            f"{names} are all classes of a provider", module.node_of(extra.node, extra.name)
        )


@rule(
    "XI613",
    Severity.REFUSED,
    Stage.START,
    source="sdk interfaces/model/provider.py: ModelProvider",
    bad=({_PROVIDER: "class «AcmeProvider»(ModelProvider):\n    pass"},),
    good=(
        {
            _PROVIDER: "class AcmeProvider(ModelProvider):\n"
            "    def validate_provider_credentials(self, credentials):\n"
            "        self.get_model_instance('llm').validate_credentials('acme-1', credentials)\n"
        },
    ),
    fix="Add the methods that are missing.",
)
def provider_class_unfinished(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The provider's class lacks a method that it must have; the SDK cannot start.

    A provider of customizable models only may have a ``validate_provider_credentials`` that does
    nothing: Dify never calls it.
    """
    for each in served(code):
        if each.kind == "provider":
            yield from _unfinished(code, each)


@rule(
    "XI614",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk core/plugin_registration.py: PluginRegistration.get_model_instance",
    bad=(
        "class «AcmeModel»(LargeLanguageModel):\n"
        "    def validate_credentials(self, model, credentials):\n"
        "        pass\n",
    ),
    good=(f"import dify_plugin\nclass AcmeModel({_COMPATIBLE}):\n    pass\n",),
    fix="Add the methods and properties that are missing.",
)
def model_class_unfinished(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A model's class lacks a method or property that it must have.

    The SDK starts, and every request fails, because no object of the class can be made. Besides
    ``_invoke`` a class needs ``validate_credentials`` and the property ``_invoke_error_mapping``,
    and for language and embedding models ``get_num_tokens``. What a base has counts where it
    stands before the SDK's class: ``class Model(_Common, LargeLanguageModel)``.
    """
    for each in served(code):
        if each.kind != "provider":
            yield from _unfinished(code, each)


@rule(
    "XI616",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_REGISTRATION,
    bad=(
        {
            _YAML: _OTHER,
            "models/llm/other.py": f"{_COMPATIBLE_MODEL}\n\n"
            "from dify_plugin import «OAICompatLargeLanguageModel»\n",
        },
    ),
    good=({_YAML: _OTHER, "models/llm/other.py": _COMPATIBLE_MODEL},),
    fix="Import modules, not classes, or import them above.",
)
def model_class_hidden(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """Another class takes the place of the plugin's own.

    Of the classes of a type that a module has names for, the SDK uses the last: one that is
    imported below the plugin's own class, or a base that is defined below what derives from it.
    """
    for module in code.model_sources:
        for kind, entries in entries_by_kind(code, module).items():
            last = entries[-1]
            for entry in entries[:-1]:
                is_own = isinstance(entry.target, Own) and entry.target.module is module
                imported = not (isinstance(last.target, Own) and last.target.module is module)
                is_base = last.target in entry.lineage.order and last.target != entry.target
                if last.certain and is_own and (imported or is_base):
                    message = f"{last.name} stands below {entry.name}, and serves {kind} instead"
                    yield module.problem(message, module.node_of(last.node, last.name))
                    break


@rule(
    "XI617",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_REGISTRATION,
    bad=(
        {
            _YAML: f"{_SOURCES}      - models/llm/llm.py\n      - models/llm/other.py\n",
            "models/llm/other.py": _COMPATIBLE_MODEL.replace("AcmeModel", "«AcmeOther»"),
        },
    ),
    good=({_YAML: _OTHER, "models/llm/other.py": _COMPATIBLE_MODEL},),
    fix="Name one module for each type of model in model_sources.",
)
def model_class_replaced(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """Two modules have a class for the same type of model; the SDK uses that of the last."""
    winners: dict[str, tuple[Module, Entry]] = {}
    for module in code.model_sources:
        for kind, entries in entries_by_kind(code, module).items():
            before = winners.get(kind)
            winners[kind] = (module, entries[-1])
            if before is None or before[0] is module or _is_used(code, before[0]):
                continue
            both = (before[1], entries[-1])
            own = all(isinstance(entry.target, Own) and entry.certain for entry in both)
            if own and both[0].target != both[1].target:
                message = f"{entries[-1].name} replaces {before[1].name} of {before[0].path}"
                yield module.problem(message, entries[-1].node)


@rule(
    "XI618",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_REGISTRATION,
    bad=(
        {
            _LLM: "class AcmeModel:\n    pass\n",
            _YAML: "supported_model_types:\n  - «llm»\n  - moderation\n",
        },
        {
            _YAML: f"supported_model_types:\n  - «llm»\n  - moderation\n{_SOURCES}",
        },
    ),
    good=(
        {
            _YAML: f"{_SOURCES}      - models/common.py\n      - models/llm/llm.py\n",
            "models/common.py": "class Common:\n    pass\n",
        },
    ),
    fix="Derive a class from the SDK's class for the type, in a module that model_sources names.",
)
def type_without_class(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A type of model is offered, and no module of model_sources has a class for it.

    The SDK starts without it, and each request for such a model fails.
    """
    sources = code.model_sources
    provider = plugin.project.provider
    if not sources or not provider.extra:
        return
    if len(sources) < len(provider.extra.python.model_sources):
        return
    if any(may_hold_more(code, module) for module in sources):
        return
    there = {kind for module in sources for kind in entries_by_kind(code, module)}
    for index, kind in enumerate(provider.supported_model_types):
        folder = MODEL_FOLDERS.get(kind)
        if folder is None or kind in there:
            continue
        beside = [
            module for module in _beside(code, folder) if kind in entries_by_kind(code, module)
        ]
        # Where there is neither a module nor a model for it, another rule says so.
        if _has_folder(sources, folder) or kind in plugin.project.model_types:
            why = f"; model_sources does not name {beside[0].path}" if beside else ""
            at = f"supported_model_types[{index}]"
            yield Problem(f"no module has a class for {kind}{why}", at=at, of=provider)


@rule(
    "XI619",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk interfaces/model/ai_model.py: AIModel.__init__ is final",
    bad=(
        "class AcmeModel(LargeLanguageModel):\n    ...\n\n"
        "    def «__init__»(self):\n        self.session = requests.Session()\n",
    ),
    good=(
        "class AcmeModel(LargeLanguageModel):\n    ...\n\n"
        "    def __init__(self, model_schemas):\n        super().__init__(model_schemas)\n",
    ),
    fix="Remove __init__; the SDK declares it final.",
)
def init_overridden(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A class has an ``__init__`` that the SDK's cannot work with.

    The SDK makes a model's object for every request with one argument, the provider's once with
    two; what they hold is set up by the ``__init__`` that is overridden.
    """
    for each in served(code):
        init = find(code, each.lineage, "__init__")
        if not isinstance(init, Method) or not isinstance(init.node, FUNCTIONS):
            continue
        why = misfit(init.node, _INIT.get(each.kind, Call(1)))
        calls_on = any(
            isinstance(node, ast.Attribute) and node.attr == "__init__"
            for node in body_nodes(init.node)
        )
        if why or not calls_on:
            why = why or "does not call the one that it overrides"
            yield init.owner.module.problem(f"{each.own.node.name}.__init__ {why}", init.node)


@rule(
    "XI620",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk interfaces/model/ai_model.py: AIModel._transform_invoke_error",
    bad=(
        {
            _YAML: f"{_SOURCES}      - models/acme.py\n",
            "models/acme.py": _COMPATIBLE_MODEL.replace("AcmeModel", "«AcmeModel»"),
        },
    ),
    good=(
        {
            _YAML: f"{_SOURCES}      - models/acme.py\n",
            "models/acme.py": "from models.llm.llm import AcmeModel\n",
        },
    ),
    fix=fix_in_files("Move the class to {}models/<type>/<type>.py."),
)
def model_module_shallow(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A model's class is in a module less than two folders deep: its errors are IndexErrors.

    The SDK takes the third part from the end of the module's name for its messages.
    """
    for each in served(code):
        name = each.own.module.name
        shallow = each.kind != "provider" and name.count(".") + 1 < _LEAST_PARTS
        if shallow and find(code, each.lineage, "_transform_invoke_error") is None:
            yield each.own.module.problem(
                f"{each.own.node.name} is in {each.own.module.path}", each.own.node
            )


def _unfinished(code: PluginCode, each: Served) -> Iterator[Problem]:
    lacking = sorted(missing(code, each.lineage))
    if lacking:
        message = f"{each.own.node.name} has no {', no '.join(lacking)}"
        yield each.own.module.problem(message, each.own.node)


def _beside(code: PluginCode, folder: str) -> Iterator[Module]:
    """Yield the modules in the folder of a type of model, whether they run or not."""
    for name in sorted(code.paths):
        if name.startswith(f"models.{folder}.") and (module := code.module(name)):
            yield module


def _has_folder(sources: tuple[Module, ...], folder: str) -> bool:
    return any(folder in module.name.split(".") for module in sources)


def _is_used(code: PluginCode, module: Module) -> bool:
    """Return whether another module imports this one."""
    importers = code.memory.ask("imported", lambda: frozenset(_imported(code)))
    return module in importers


def _imported(code: PluginCode) -> Iterator[Module]:
    for other in code.running:
        imported = chain.from_iterable(code.imported(each) for each in other.imports)
        yield from (module for module in imported if module is not other)


RULES = (
    provider_class_missing,
    provider_classes_many,
    provider_class_unfinished,
    model_class_unfinished,
    model_class_hidden,
    model_class_replaced,
    type_without_class,
    init_overridden,
    model_module_shallow,
)
