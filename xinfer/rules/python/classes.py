"""The classes of a plugin: what they derive from, what they have, which ones the SDK registers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.distributions import DISTRIBUTIONS, STANDARD_LIBRARY
from xinfer.rules.python.names import Binding, Foreign, Own, bindings, in_module, meaning
from xinfer.rules.python.sdk import CALLS, CLASSES, PROVIDER_CALLS, Call, sdk_name
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import FUNCTIONS, Function

_HARMLESS = {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"}
_ROOTS = ("ModelProvider", *(name for name, cls in CLASSES.items() if cls.serves))
_MOST_BASES, _MOST_ABOVE = 50, 60


@frozen
class Lineage:
    """A class and what it derives from, in the order in which Python looks for attributes.

    :param order: classes of the plugin, and names of the SDK's.
    :param whole: whether that is all; a base from elsewhere, a decorator or an attribute set from
        outside may bring anything.
    """

    order: tuple[Own | str, ...]
    whole: bool

    @property
    def root(self) -> str | None:
        """The SDK's class for a provider or a type of model that it derives from."""
        return next((root for root in _ROOTS if root in self.order), None)


@frozen
class Entry:
    """A name in a module that stands for a class.

    :param target: the class; its name if it is the SDK's.
    :param node: what brings it there.
    :param certain: whether it is there in any case.
    """

    name: str
    target: Own | str
    lineage: Lineage
    node: ast.AST
    certain: bool


@frozen
class Method:
    """A method of a class, as it is found there or in a base of the plugin's own."""

    owner: Own
    node: ast.AST


@frozen
class Served:
    """A class that the SDK makes objects of.

    :param kind: the model type; ``provider`` for the provider's own.
    """

    kind: str
    own: Own
    lineage: Lineage

    @property
    def calls(self) -> Mapping[str, Call]:
        """How the SDK calls its methods."""
        return PROVIDER_CALLS if self.kind == "provider" else CALLS[self.kind]


def lineage(code: PluginCode, start: Own | str, depth: int = 0) -> Lineage:
    """Work out what a class derives from; a class that derives from itself is not followed."""
    return code.memory.ask(
        ("lineage", start),
        lambda: _lineage(code, start, depth + 1),
        meanwhile=Lineage((start,), whole=False),
    )


def _lineage(code: PluginCode, start: Own | str, depth: int) -> Lineage:
    if isinstance(start, str):
        bases = [lineage(code, base, depth) for base in CLASSES[start].bases]
        return _merged(start, bases, whole=True)
    node = start.node
    if not isinstance(node, ast.ClassDef) or max(depth, len(node.bases)) > _MOST_BASES:
        return Lineage((start,), whole=False)
    whole = not node.decorator_list and not _is_altered(start)
    whole = whole and all(k.arg == "metaclass" and _is_abc(k.value) for k in node.keywords)
    above = []
    for base in node.bases:
        target = meaning(code, start.module, base)
        if isinstance(target, Foreign) and target.name in _HARMLESS:
            continue
        in_sdk = sdk_name(target.name) if isinstance(target, Foreign) else None
        parent = target if isinstance(target, Own) else in_sdk
        if parent is None:
            whole = False
        else:
            above.append(lineage(code, parent, depth))
    return _merged(start, above, whole=whole)


def find(code: PluginCode, line: Lineage, name: str) -> Method | str | None:
    """Find where a class has an attribute from: the plugin, or a class of the SDK by name."""
    for cls in line.order:
        if isinstance(cls, str):
            if name in CLASSES[cls].brings or name in CLASSES[cls].abstract:
                return cls
        elif values := bindings(cls.module, cls.node).get(name):
            return Method(cls, values[-1].value or values[-1].node)
    return None


def method(code: PluginCode, served: Served, name: str) -> tuple[Module, Function] | None:
    """Find a method that the plugin itself has written, with the module it is in."""
    attribute = find(code, served.lineage, name)
    if isinstance(attribute, Method) and isinstance(attribute.node, FUNCTIONS):
        return attribute.owner.module, attribute.node
    return None


def missing(code: PluginCode, line: Lineage) -> Iterator[str]:
    """Name what a class lacks so that no object of it can be made; nothing where that is open."""
    if not line.whole:
        return
    abstract = dict.fromkeys(
        name for cls in line.order if isinstance(cls, str) for name in sorted(CLASSES[cls].abstract)
    )
    for name in abstract:
        attribute = find(code, line, name)
        if (isinstance(attribute, str) and name not in CLASSES[attribute].brings) or (
            isinstance(attribute, Method) and _is_abstract(attribute.node)
        ):
            yield name


def classes_in(code: PluginCode, module: Module) -> Iterator[Entry]:
    """Yield the classes of the plugin and the SDK that a module has names for.

    As the SDK finds them: one for each name, in the order in which the names come up.
    """
    for name, values in bindings(module, module.tree).items():
        value = in_module(code, module, name)
        target: Own | str | None = None
        if isinstance(value, Own) and isinstance(value.node, ast.ClassDef):
            target = value
        elif isinstance(value, Foreign):
            target = sdk_name(value.name)
        if target is not None:
            certain = all(_is_certain(module, binding) for binding in values)
            yield Entry(name, target, lineage(code, target), values[0].node, certain)


def _is_certain(module: Module, binding: Binding) -> bool:
    node = binding.node if isinstance(binding.node, ast.stmt) else module.parents[binding.node]
    return module.parents.get(node) is module.tree


def kind_of(code: PluginCode, line: Lineage) -> str | None:
    """Return the type of model that a class is registered for, if it is certain."""
    if line.root is None or line.root == "ModelProvider":
        return None
    attribute = find(code, line, "model_type")
    if not isinstance(attribute, Method):
        return CLASSES[line.root].serves
    member = getattr(attribute.node, "attr", None)
    return next((kind for kind in CALLS if kind.replace("-", "_").upper() == member), None)


def entries_by_kind(code: PluginCode, module: Module) -> Mapping[str, list[Entry]]:
    """Group the classes that a module of models registers by the type they serve.

    The last of each is the one that is used.
    """
    return code.memory.ask(("entries", module), lambda: _entries_by_kind(code, module))


def _entries_by_kind(code: PluginCode, module: Module) -> Mapping[str, list[Entry]]:
    grouped: dict[str, list[Entry]] = {}
    for entry in classes_in(code, module):
        kind = kind_of(code, entry.lineage)
        # The SDK's abstract classes themselves are not registered.
        if kind is not None and entry.target != entry.lineage.root:
            grouped.setdefault(kind, []).append(entry)
    return grouped


def providers_in(code: PluginCode, module: Module) -> list[Entry]:
    """List what the SDK takes for the class of the provider."""
    return [
        entry
        for entry in classes_in(code, module)
        if entry.lineage.root == "ModelProvider" and entry.target != "ModelProvider"
    ]


def served(code: PluginCode) -> tuple[Served, ...]:
    """List the plugin's classes that the SDK makes objects of: the provider's, one a type."""
    return code.memory.ask("served", lambda: _served(code))


def _served(code: PluginCode) -> tuple[Served, ...]:
    by_kind: dict[str, Served] = {}
    if code.provider_source is not None:
        for entry in providers_in(code, code.provider_source):
            if isinstance(entry.target, Own):
                by_kind["provider"] = Served("provider", entry.target, entry.lineage)
    for module in code.model_sources:
        for kind, entries in entries_by_kind(code, module).items():
            for entry in entries:
                if isinstance(entry.target, Own):
                    by_kind[kind] = Served(kind, entry.target, entry.lineage)
    return tuple(by_kind.values())


def may_hold_more(code: PluginCode, module: Module) -> bool:
    """Return whether a module may have classes of the SDK that cannot be seen from here."""
    return code.memory.ask(("may hold more", module), lambda: _has_unseen(code, module))


def _has_unseen(code: PluginCode, module: Module) -> bool:
    if module.failure is not None:
        return True
    for each in module.imports:
        elsewhere = each.root not in STANDARD_LIBRARY and each.root not in DISTRIBUTIONS
        names = (each.module or "", f"{each.module}.{each.name}")
        unseen = code.has_module(each.root) and not any(code.module(name) for name in names)
        if not each.typing_only and (
            each.name == "*" or (elsewhere and (unseen or not code.has_module(each.root)))
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


def _merged(first: Own | str, above: Sequence[Lineage], *, whole: bool) -> Lineage:
    """Put bases into Python's order; where there is none, as they come."""
    whole = whole and all(line.whole for line in above)
    if sum(len(line.order) for line in above) > _MOST_ABOVE:
        return Lineage((first,), whole=False)
    if len(above) == 1:
        return Lineage((first, *above[0].order), whole)
    rows = [list(line.order) for line in above] + [[line.order[0] for line in above]]
    order: list[Own | str] = [first]
    while rows := [row for row in rows if row]:
        tails = {cls for row in rows for cls in row[1:]}
        head = next((row[0] for row in rows if row[0] not in tails), None)
        if head is None:
            head, whole = rows[0][0], False
        order.append(head)
        rows = [[cls for cls in row if cls != head] for row in rows]
    return Lineage(tuple(order), whole)


def _is_altered(own: Own) -> bool:
    """Return whether something sets attributes of a class from outside of it."""
    name = own.node.name
    altered = own.module.memory.ask("altered", lambda: _altered(own.module))
    return name in altered or "cls" in altered


def _altered(module: Module) -> frozenset[str]:
    """Name everything in a module whose attributes are set there, but ``self``."""
    stores = (node.value for node in module.each(ast.Attribute) if isinstance(node.ctx, ast.Store))
    calls = (
        node.args[0]
        for node in module.each(ast.Call)
        if getattr(node.func, "id", "") == "setattr" and node.args
    )
    return frozenset(node.id for node in (*stores, *calls) if isinstance(node, ast.Name)) - {"self"}


def _is_abc(node: ast.expr) -> bool:
    return getattr(node, "id", getattr(node, "attr", "")) == "ABCMeta"


def _is_abstract(node: ast.AST) -> bool:
    if not isinstance(node, FUNCTIONS):
        return False
    return "abstractmethod" in {
        getattr(decorator, "id", getattr(decorator, "attr", ""))
        for decorator in node.decorator_list
    }
