"""Plugins that others wrote, declared again as a ``provider_spec.py``; nothing of them is run.

:func:`import_plugin` sorts out what a plugin declares, and :func:`write_spec` writes the same in
Python. :func:`repair` fixes the mistakes in a plugin's folder that have one right answer.
"""

from xinfer.importer.baseline import entries, write_baseline
from xinfer.importer.imported import Imported, ImportFailed, import_plugin, with_runtime
from xinfer.importer.repair import repair
from xinfer.importer.sdk_classes import NotDeclarable
from xinfer.importer.write import write_spec
from xinfer.plugin.limits import UnreadablePlugin

__all__ = [
    "ImportFailed",
    "Imported",
    "NotDeclarable",
    "UnreadablePlugin",
    "entries",
    "import_plugin",
    "repair",
    "with_runtime",
    "write_baseline",
    "write_spec",
]
