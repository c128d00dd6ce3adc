"""Rules of the classes that the SDK looks for: there, one of them, and whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import (
    Entry,
    Method,
    Served,
    entries_by_kind,
    find,
    kind_of,
    lineage,
    missing,
    providers_in,
    served,
)
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.distributions import KNOWN
from xinfer.rules.python.imports import STANDARD_LIBRARY
from xinfer.rules.python.names import Own
from xinfer.rules.python.sdk import Call
from xinfer.rules.python.signatures import misfit
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import FUNCTIONS, body_nodes
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import MODEL_FOLDERS

_INIT = {"provider": Call(2)}


@rule("XI611", Severity.REFUSED, Stage.START, fix="Derive a class from dify_plugin.ModelProvider.")
def provider_class_missing(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """The provider's module has no class of a provider; the SDK refuses to start."""
    module = code.provider_source
    if module is None or providers_in(code, module) or _may_hold_more(code, module):
        return
    yield module.problem(f"{module.path} has no class derived from ModelProvider")


@rule(
    "XI612",
    Severity.REFUSED,
    Stage.START,
    fix="Keep one: import dify_plugin, and derive from dify_plugin.OAICompatProvider.",
)
def provider_classes_many(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """The provider's module has names for several classes of a provider; the SDK refuses to start.

    It takes every class it finds by name there, the ones that are imported to derive from as
    well. A class that is reached through its module, as in ``dify_plugin.OAICompatProvider``, is
    not found.
    """
    module = code.provider_source
    found = [entry for entry in providers_in(code, module) if entry.certain] if module else []
    if module is not None and len(found) > 1:
        extra = next((entry for entry in found if isinstance(entry.one, str)), found[-1])
        names = ", ".join(entry.name for entry in found)
        yield module.problem(f"{names} are all classes of a provider", extra.node)


@rule("XI613", Severity.REFUSED, Stage.START, fix="Write the methods it names.")
def provider_class_unfinished(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """The provider's class lacks a method that it must have; the SDK cannot start.

    A provider whose models bring their own credentials may have a
    ``validate_provider_credentials`` that does nothing.
    """
    for one in served(code):
        if one.kind == "provider":
            yield from _unfinished(code, one)


@rule("XI614", Severity.BROKEN, Stage.RUN_TIME, fix="Write the methods and properties it names.")
def model_class_unfinished(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A model's class lacks a method or property that it must have.

    The SDK starts, and every request fails, because no object of the class can be made. Besides
    ``_invoke`` a class needs ``validate_credentials`` and the property ``_invoke_error_mapping``,
    and for language and embedding models ``get_num_tokens``. What a base brings counts where it
    stands before the SDK's class: ``class Model(_Common, LargeLanguageModel)``.
    """
    for one in served(code):
        if one.kind != "provider":
            yield from _unfinished(code, one)


@rule(
    "XI615",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix="Derive a class from the SDK's class for the type.",
)
def model_class_missing(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A module that is named as the source of models has no class of a model.

    The SDK says nothing, and the first request for such a model fails with a KeyError.
    """
    for module in code.model_sources:
        if not entries_by_kind(code, module) and not _may_hold_more(code, module):
            yield module.problem(f"{module.path} has no class of a model")


@rule(
    "XI616", Severity.BROKEN, Stage.RUN_TIME, fix="Import modules, not classes, or import before."
)
def model_class_hidden(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """Another class takes the place of the plugin's own.

    Of the classes of a type that a module has names for, the SDK uses the last: one that is
    imported below the plugin's own class, or a base that is defined below what derives from it.
    """
    for module in code.model_sources:
        for kind, entries in entries_by_kind(code, module).items():
            last = entries[-1]
            for entry in entries[:-1]:
                written_here = isinstance(entry.one, Own) and entry.one.module is module
                taken = not (isinstance(last.one, Own) and last.one.module is module)
                base = last.one in entry.lineage.order and last.one != entry.one
                if last.certain and written_here and (taken or base):
                    said = f"{last.name} stands below {entry.name}, and is used for {kind} instead"
                    yield module.problem(said, last.node)
                    break


@rule("XI617", Severity.BROKEN, Stage.RUN_TIME, fix="Name one module for each type.")
def model_class_replaced(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """Two modules bring a class for the same type of model; the SDK uses the last one's."""
    winners: dict[str, tuple[Module, Entry]] = {}
    for module in code.model_sources:
        for kind, entries in entries_by_kind(code, module).items():
            before = winners.get(kind)
            winners[kind] = (module, entries[-1])
            if before is None or before[0] is module or _is_used(code, before[0]):
                continue
            both = (before[1], entries[-1])
            own = all(isinstance(entry.one, Own) and entry.certain for entry in both)
            if own and both[0].one != both[1].one:
                said = f"{entries[-1].name} replaces {before[1].name} of {before[0].path}"
                yield module.problem(said, entries[-1].node)


@rule(
    "XI618",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix="Name its module in model_sources, or leave it out.",
)
def type_without_class(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """A type is offered, and no module has a class for it: each request fails with a KeyError."""
    sources = code.model_sources
    extra = subject.project.provider.extra
    if not extra or len(sources) < len(extra.python.model_sources) or not sources:
        return
    if any(_may_hold_more(code, module) for module in sources):
        return
    there = {kind for module in sources for kind in entries_by_kind(code, module)}
    folders = {part for module in sources for part in module.name.split(".")}
    for kind in subject.project.provider.supported_model_types:
        # Where there is neither module nor model for it, another rule says so.
        named = MODEL_FOLDERS.get(kind) in folders or kind in subject.project.model_types
        if kind in MODEL_FOLDERS and named and kind not in there:
            yield Problem(f"no module has a class for {kind}", of=subject.project.provider)


@rule("XI619", Severity.BROKEN, Stage.RUN_TIME, fix="Remove __init__; the SDK declares it final.")
def init_overridden(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A class has an ``__init__`` that the SDK's cannot work with.

    The SDK makes a model's object for every request with one argument, the provider's once with
    two; what they hold is set up by the ``__init__`` that is overridden.
    """
    for one in served(code):
        found = find(code, one.lineage, "__init__")
        if not isinstance(found, Method) or not isinstance(found.node, FUNCTIONS):
            continue
        said = misfit(found.node, _INIT.get(one.kind, Call(1)))
        calls_on = any(
            isinstance(node, ast.Attribute) and node.attr == "__init__"
            for node in body_nodes(found.node)
        )
        if said or not calls_on:
            yield found.owner.module.problem(
                f"{one.own.node.name}.__init__ {said or 'does not call the one it overrides'}",
                found.node,
            )


def _unfinished(code: PluginCode, one: Served) -> Iterator[Problem]:
    lacking = sorted(missing(code, one.lineage))
    if lacking:
        said = f"{one.own.node.name} has no {', no '.join(lacking)}"
        yield one.own.module.problem(said, one.own.node)


def _may_hold_more(code: PluginCode, module: Module) -> bool:
    """Say whether a module may have classes of the SDK that cannot be seen from here."""
    if module.failure is not None:
        return True
    for one in module.imports:
        root = (one.module or "").partition(".")[0]
        elsewhere = root not in STANDARD_LIBRARY and root not in KNOWN
        names = (one.module or "", f"{one.module}.{one.name}")
        unseen = code.holds(root) and not any(code.module(name) for name in names)
        if not one.typing_only and (
            one.name == "*" or (elsewhere and (unseen or not code.holds(root)))
        ):
            return True
    calls = {"type", "globals", "exec", "setattr", "make_dataclass", "new_class"}
    return any(getattr(node.func, "id", "") in calls for node in module.each(ast.Call)) or any(
        not _is_plain(code, module, node) for node in module.each(ast.ClassDef)
    )


def _is_plain(code: PluginCode, module: Module, node: ast.ClassDef) -> bool:
    line = lineage(code, Own(module, node))
    return line.whole and (
        line.root is None or line.root == "ModelProvider" or bool(kind_of(code, line))
    )


def _is_used(code: PluginCode, module: Module) -> bool:
    return any(
        module in code.imported(one)
        for other in code.running
        if other is not module
        for one in other.imports
    )


RULES = (
    provider_class_missing,
    provider_classes_many,
    provider_class_unfinished,
    model_class_unfinished,
    model_class_missing,
    model_class_hidden,
    model_class_replaced,
    type_without_class,
    init_overridden,
)
