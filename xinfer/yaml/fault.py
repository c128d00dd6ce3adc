"""What is wrong in a YAML file, and where."""

from __future__ import annotations

from attrs import frozen

from xinfer.spec.span import Span


@frozen
class Fault:
    """One thing wrong in a document: where (line and column count from 1) and what.

    The end is the place right behind the last character, if it is known.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    end_line: int | None = None
    end_column: int | None = None

    @property
    def span(self) -> Span:
        """The characters that the fault is about."""
        return Span(self.file, self.line, self.column, self.end_line, self.end_column)

    def __str__(self) -> str:
        at = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {at}{self.message}"


class DocumentError(ValueError):
    """A document cannot be used; lists every fault found, in the order of the text."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__("\n".join(map(str, self.faults)))
