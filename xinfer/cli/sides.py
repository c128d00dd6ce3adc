"""A plugin named on the command line in any of its forms: a spec, a folder, a package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xinfer.cli.options import UnusableInput, existing

if TYPE_CHECKING:
    from xinfer.plugin.plugin import Plugin


def plugin_at(path: Path) -> Plugin:
    """Read the plugin that a path stands for.

    :raises UnusableInput: it cannot be read; the message says why.
    :raises WrongValues: a spec declares values that no YAML can be made of.
    """
    from xinfer.build.preparation import BuildError, WrongValues, plugin
    from xinfer.plugin.read import read_plugin

    existing(path)
    try:
        return plugin(path) if path.suffix == ".py" else read_plugin(path)
    except WrongValues:
        raise
    except BuildError as error:
        raise UnusableInput(str(error)) from error


def whole_plugin_at(path: Path) -> Plugin:
    """Read a plugin of which the manifest and the provider have to be readable.

    :raises UnusableInput: its manifest or provider cannot be read, or holds wrong values.
    """
    from xinfer.build.preparation import WrongValues
    from xinfer.plugin.plugin import NotRead

    try:
        plugin = plugin_at(path)
        _ = plugin.project
    except (NotRead, WrongValues) as error:
        raise UnusableInput(str(error)) from error
    return plugin
