"""Plugins that others wrote, declared again as a ``provider_spec.py``; nothing of them is run.

:func:`examine` finds what is wrong with a folder or package. :func:`read_plugin` reads what it
declares, and :func:`write_spec` writes the same in Python.
"""

from xinfer.importer.folder import Imported, ImportFailed, read_plugin, with_runtime
from xinfer.importer.repair import repair
from xinfer.importer.runtime import NotDeclarable
from xinfer.importer.write import write_spec
from xinfer.plugin.limits import UnreadablePlugin

__all__ = [
    "ImportFailed",
    "Imported",
    "NotDeclarable",
    "UnreadablePlugin",
    "read_plugin",
    "repair",
    "with_runtime",
    "write_spec",
]
