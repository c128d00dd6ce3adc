"""Declare a Dify model provider once, in Python.

``xinfer.spec`` holds what can be declared and is all that ``provider_spec.py`` imports; the
other packages turn a declaration into files, checks and a running plugin.
"""

__version__ = "0.1.0"
