"""A published plugin's folder to a ``provider_spec.py`` that a person would have written.

:func:`read_plugin` reads what the folder declares; :func:`write_spec` says the same in Python.
"""

from xinfer.importer.folder import Imported, ImportFailed, read_plugin
from xinfer.importer.spec import write_spec

__all__ = ["ImportFailed", "Imported", "read_plugin", "write_spec"]
