"""The classes of a plugin: what they derive from, what they have, which ones the SDK registers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import Binding, Foreign, Own, bindings, in_module, meaning
from xinfer.rules.python.sdk import CALLS, CLASSES, PROVIDER_CALLS, Call, sdk_name
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import FUNCTIONS, Function

_HARMLESS = {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"}
_ROOTS = ("ModelProvider", *(name for name, known in CLASSES.items() if known.serves))
_MOST_BASES, _MOST_ABOVE = 50, 200


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
        return next((one for one in _ROOTS if one in self.order), None)


@frozen
class Entry:
    """A name in a module that stands for a class.

    :param one: the class, by name where it is the SDK's.
    :param node: what brings it there.
    :param certain: whether it is there in any case.
    """

    name: str
    one: Own | str
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
        found = meaning(code, start.module, base)
        if isinstance(found, Foreign) and found.name in _HARMLESS:
            continue
        named = sdk_name(found.name) if isinstance(found, Foreign) else None
        known = found if isinstance(found, Own) else named
        if known is None:
            whole = False
        else:
            above.append(lineage(code, known, depth))
    return _merged(start, above, whole=whole)


def find(code: PluginCode, line: Lineage, name: str) -> Method | str | None:
    """Find where a class has an attribute from: the plugin, or a class of the SDK by name."""
    for one in line.order:
        if isinstance(one, str):
            known = CLASSES[one]
            if name in known.brings or name in known.abstract:
                return one
        elif found := bindings(one.module, one.node).get(name):
            return Method(one, found[-1].value or found[-1].node)
    return None


def method(code: PluginCode, served: Served, name: str) -> tuple[Module, Function] | None:
    """Find a method that the plugin itself has written, with the module it is in."""
    found = find(code, served.lineage, name)
    if isinstance(found, Method) and isinstance(found.node, FUNCTIONS):
        return found.owner.module, found.node
    return None


def missing(code: PluginCode, line: Lineage) -> Iterator[str]:
    """Name what a class lacks so that no object of it can be made; nothing where that is open."""
    if not line.whole:
        return
    asked = dict.fromkeys(
        name for one in line.order if isinstance(one, str) for name in sorted(CLASSES[one].abstract)
    )
    for name in asked:
        found = find(code, line, name)
        if (isinstance(found, str) and name not in CLASSES[found].brings) or (
            isinstance(found, Method) and _is_abstract(found.node)
        ):
            yield name


def classes_in(code: PluginCode, module: Module) -> Iterator[Entry]:
    """Yield the classes of the plugin and the SDK that a module has names for.

    As the SDK finds them: one for each name, in the order in which the names come up.
    """
    for name, found in bindings(module, module.tree).items():
        known = in_module(code, module, name)
        one: Own | str | None = None
        if isinstance(known, Own) and isinstance(known.node, ast.ClassDef):
            one = known
        elif isinstance(known, Foreign):
            one = sdk_name(known.name)
        if one is not None:
            certain = all(_is_certain(module, binding) for binding in found)
            yield Entry(name, one, lineage(code, one), found[0].node, certain)


def _is_certain(module: Module, binding: Binding) -> bool:
    node = binding.node if isinstance(binding.node, ast.stmt) else module.parents[binding.node]
    return module.parents.get(node) is module.tree


def kind_of(code: PluginCode, line: Lineage) -> str | None:
    """Say which type of model a class is registered for, as far as it can be known."""
    if line.root is None or line.root == "ModelProvider":
        return None
    found = find(code, line, "model_type")
    if not isinstance(found, Method):
        return CLASSES[line.root].serves
    said = getattr(found.node, "attr", None)
    return next((kind for kind in CALLS if kind.replace("-", "_").upper() == said), None)


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
        if kind is not None and entry.one != entry.lineage.root:
            grouped.setdefault(kind, []).append(entry)
    return grouped


def providers_in(code: PluginCode, module: Module) -> list[Entry]:
    """List what the SDK takes for the class of the provider."""
    return [
        entry
        for entry in classes_in(code, module)
        if entry.lineage.root == "ModelProvider" and entry.one != "ModelProvider"
    ]


def served(code: PluginCode) -> tuple[Served, ...]:
    """List the plugin's classes that the SDK makes objects of: the provider's, one a type."""
    return code.memory.ask("served", lambda: _served(code))


def _served(code: PluginCode) -> tuple[Served, ...]:
    found: dict[str, Served] = {}
    if code.provider_source is not None:
        for entry in providers_in(code, code.provider_source):
            if isinstance(entry.one, Own):
                found["provider"] = Served("provider", entry.one, entry.lineage)
    for module in code.model_sources:
        for kind, entries in entries_by_kind(code, module).items():
            for entry in entries:
                if isinstance(entry.one, Own):
                    found[kind] = Served(kind, entry.one, entry.lineage)
    return tuple(found.values())


def _merged(first: Own | str, above: Sequence[Lineage], *, whole: bool) -> Lineage:
    """Put bases into Python's order; where there is none, as they come."""
    whole = whole and all(line.whole for line in above)
    if sum(len(line.order) for line in above) > _MOST_ABOVE:
        return Lineage((first,), whole=False)
    rows = [list(line.order) for line in above] + [[line.order[0] for line in above]]
    order: list[Own | str] = [first]
    while rows := [row for row in rows if row]:
        tails = {one for row in rows for one in row[1:]}
        head = next((row[0] for row in rows if row[0] not in tails), None)
        if head is None:
            head, whole = rows[0][0], False
        order.append(head)
        rows = [[one for one in row if one != head] for row in rows]
    return Lineage(tuple(order), whole)


def _is_altered(own: Own) -> bool:
    """Say whether something sets attributes of a class from outside of it."""
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
    return frozenset(one.id for one in (*stores, *calls) if isinstance(one, ast.Name)) - {"self"}


def _is_abc(node: ast.expr) -> bool:
    return getattr(node, "id", getattr(node, "attr", "")) == "ABCMeta"


def _is_abstract(node: ast.AST) -> bool:
    if not isinstance(node, FUNCTIONS):
        return False
    named = {getattr(one, "id", getattr(one, "attr", "")) for one in node.decorator_list}
    return "abstractmethod" in named
