"""What no plugin should carry: folders and files that tools leave behind, and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from attrs import frozen

from xinfer.plugin.files import File, PluginFiles

TOOL_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "env", "node_modules", ".idea", ".vscode"}
    | {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".uv-cache"}
)
"""Repositories, environments and caches. Dify's packager leaves none of them out by itself."""

LEFTOVER_NAMES = frozenset({".DS_Store", "Thumbs.db"})
LEFTOVER_SUFFIXES = frozenset({".pyc", ".log", ".bak", ".difypkg"})

_SECRET_FOLDERS = frozenset({".ssh", ".aws"})
_SECRET_NAMES = re.compile(
    r"id_rsa|id_dsa|id_ecdsa|id_ed25519|\.env(?!\.example$)(\..*)?|\.netrc|\.pypirc|\.npmrc"
    r"|credentials\.json|secrets\..*|.*\.(p12|pfx|key)"
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----")
_KEY_IN_CODE = re.compile(_PRIVATE_KEY.pattern + rb"(?:\\[nr]|[\s\"'])*[A-Za-z0-9+/=]{40}")
"""In Python the first line alone is no key: code looks for it, or puts it before a user's key."""


@frozen
class Secret:
    """A file that would publish a secret.

    :param reason: how it is recognised.
    """

    path: str
    reason: str


def tool_folder(path: str) -> str:
    """Return the outermost folder above a file that a tool made, such as ``.venv/``, or ``""``."""
    folders = path.split("/")[:-1]
    for depth, name in enumerate(folders, 1):
        if name in TOOL_FOLDERS:
            return "/".join(folders[:depth]) + "/"
    return ""


def secrets_in(files: PluginFiles) -> Iterator[Secret]:
    """Yield the files that hold secrets: by their names, and private keys by their contents."""
    for file in files.files:
        if reason := _reason(file, files):
            yield Secret(file.path, reason)


def _reason(file: File, files: PluginFiles) -> str:
    *folders, name = PurePosixPath(file.path).parts
    if not _SECRET_FOLDERS.isdisjoint(folders):
        return "such a folder holds secrets"
    if _SECRET_NAMES.fullmatch(name):
        return "a file of that name holds secrets"
    key = _KEY_IN_CODE if name.endswith(".py") else _PRIVATE_KEY
    return "it holds a private key" if key.search(files[file.path]) else ""
