"""Mistakes in a YAML file, and where they are."""

from __future__ import annotations

from attrs import frozen


@frozen
class Fault:
    """One mistake in a document.

    :param line: counts from 1; so does ``column``, in characters.
    :param path: of the value, e.g. ``models.llm[0].name``.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        at = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {at}{self.message}"


class DocumentError(ValueError):
    """A document cannot be used; ``str`` lists its faults in the order of the text."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__("\n".join(map(str, self.faults)))
