"""Which changed files concern a plugin."""

from __future__ import annotations

from pathlib import Path

_IGNORED = {".git", ".venv", "__pycache__", "dist", "node_modules", ".pytest_cache", ".ruff_cache"}


def concerns(folder: Path, changed: Path) -> bool:
    """Tell whether a change below a plugin's folder can change the plugin."""
    return not _IGNORED & set(changed.relative_to(folder.resolve()).parts)
