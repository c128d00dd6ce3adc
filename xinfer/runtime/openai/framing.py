"""HTTP's chunked framing taken off bytes as they arrive, so that one read gives all there is."""

from __future__ import annotations

from attrs import define, field

from xinfer.runtime.openai import limits

_LINE = b"\r\n"


@define
class Chunks:
    """Reads a chunked body (RFC 9112, section 7.1), however its bytes were cut.

    :ivar ended: the last chunk, and what may follow it, has been read.
    :ivar rest: what arrived behind the body.
    """

    ended: bool = field(default=False, init=False)
    rest: bytes = field(default=b"", init=False)
    _left: int = field(default=0, init=False)
    # A chunk's end and the next one's size are read as one line; the first one has no end before.
    _pending: bytes = field(default=_LINE, init=False)

    def feed(self, arrived: bytes) -> bytes:
        """Return what these bytes bring of the body; part of a chunk is handed on as it comes.

        :raises ValueError: the body is not chunked.
        """
        data = self._pending + arrived if self._pending else arrived
        self._pending = b""
        content: list[bytes] = []
        at = 0
        while not self.ended:
            if self._left:
                piece = data[at : at + self._left]
                content.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
            end = data.find(_LINE, at + 2)
            if end < 0:
                self._keep(data[at:])
                break
            self._left = _size(data[at:end])
            if not self._left:
                # Trailers, if any, and an empty line.
                last = data.find(_LINE + _LINE, end)
                if last < 0:
                    self._keep(data[at:])
                    break
                self.ended, self.rest = True, data[last + 4 :]
            at = end + 2
        return b"".join(content)

    def _keep(self, line: bytes) -> None:
        if len(line) > limits.FRAME:
            raise ValueError("a chunk without a size")
        self._pending = line


def _size(line: bytes) -> int:
    """Read a size in hexadecimal, between two line ends, and maybe an extension behind it."""
    if not line.startswith(_LINE):
        raise ValueError("a chunk longer than it says")
    size = int(line.partition(b";")[0], 16)
    if size < 0:
        raise ValueError("a chunk of negative size")
    return size
