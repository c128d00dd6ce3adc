"""The limits of a plugin: those of Dify's daemon, and those within which xinfer reads."""

from __future__ import annotations

MAX_PACKAGE_BYTES = 52_428_800
"""The daemon's limit for a package, and for the sum of the files in it."""

MAX_FILES = 20_000
"""The daemon has no limit; the largest of the 70 official plugins has 420 files."""

MAX_READ_BYTES = 4 * MAX_PACKAGE_BYTES
"""A folder or package with more than this is not read at all."""

MAX_DIRECTORY_BYTES = 8 * 1024 * 1024
"""The table of contents of a package; that of 20,000 files with usual names is half as long."""


class UnreadablePlugin(Exception):
    """A folder or package cannot be read; ``str`` is one sentence with the cause and the fix."""
