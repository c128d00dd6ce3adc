"""What is wrong in a file, and where."""

from __future__ import annotations

from attrs import frozen


@frozen
class Fault:
    """One thing wrong in a document: where (line and column count from 1) and what."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        at = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {at}{self.message}"


class DocumentError(ValueError):
    """A document cannot be used; lists every fault found, in the order of the text."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__("\n".join(map(str, self.faults)))
