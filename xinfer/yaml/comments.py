"""The comments in a YAML text; a ``#`` in a value is not one."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#.*$", re.MULTILINE)
_HEADER = re.compile(r"[|>][-+0-9]*[ \t]+(#.*)")


def comments_in(text: str, root: Node) -> Iterator[re.Match[str]]:
    """Yield every comment, from its ``#`` to the end of its line.

    :param root: the node of the whole text.
    """
    scalars = sorted((n.start_mark.index, n.end_mark.index) for n in _nodes(root) if _is_scalar(n))
    for match in _COMMENT.finditer(text):
        at = bisect_left(scalars, (match.start(), 0)) - 1
        if at >= 0 and match.start() < scalars[at][1]:
            header = _HEADER.match(text, scalars[at][0])
            if header is None or header.start(1) != match.start():
                continue  # it is in a value
        yield match


def _is_scalar(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.start_mark.index < node.end_mark.index


def _nodes(root: Node) -> Iterator[Node]:
    """Yield every node once, also one that aliases refer to."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        yield node
        for inner in _inside(node):
            if id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)


def _inside(node: Node) -> Iterator[Node]:
    if isinstance(node, SequenceNode):
        yield from node.value
    elif isinstance(node, MappingNode):
        for pair in node.value:
            yield from pair
