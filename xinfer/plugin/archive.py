"""Packages: a ``.difypkg`` is a zip, written as the daemon's packager does and read with care."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from attrs import frozen

from xinfer.plugin.files import File, PluginFiles
from xinfer.plugin.ignore import is_undecodable
from xinfer.plugin.limits import (
    MAX_DIRECTORY_BYTES,
    MAX_FILES,
    MAX_PACKAGE_BYTES,
    MAX_READ_BYTES,
    UnreadablePlugin,
)

_STORED, _DEFLATED = 0, 8
_VERSION = 20
_UTF8 = 0x0800
_NO_TIME, _NO_DATE = 0, 0
_HEADER = struct.Struct("<4s5H3L2H")
_DIRECTORY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_MAX_COMMENT = 0xFFFF
_ENCRYPTED = 0x1
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError),
    *(ValueError, OverflowError, struct.error),
)
"""What ``zipfile`` raises where the table of contents is damaged."""


def pack(entries: Iterable[tuple[str, bytes]], comment: bytes = b"") -> bytes:
    """Write entries to a package, in the order given: no folders, no dates, no modes.

    The same entries give the same bytes on every machine that has the wheel ``deflate``, which is
    a fixed version of libdeflate; without it they are stored. Checksum and identifier depend on
    names and contents alone.
    """
    package = io.BytesIO()
    directory = io.BytesIO()
    count = 0
    for path, content in entries:
        name = path.encode(errors="surrogateescape")
        method, data = _compressed(content)
        flags = _UTF8 if _needs_flag(path) else 0
        common = (_VERSION, flags, method, _NO_TIME, _NO_DATE)
        sizes = (zlib.crc32(content), len(data), len(content))
        directory.write(
            _DIRECTORY.pack(
                *(b"PK\x01\x02", _VERSION, *common, *sizes),
                len(name),
                0,
                0,
                0,
                0,
                0,
                package.tell(),
            )
        )
        directory.write(name)
        package.write(_HEADER.pack(b"PK\x03\x04", *common, *sizes, len(name), 0))
        package.write(name)
        package.write(data)
        count += 1
    start = package.tell()
    package.write(directory.getvalue())
    size = package.tell() - start
    package.write(_END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, len(comment)))
    package.write(comment)
    return package.getvalue()


def _needs_flag(path: str) -> bool:
    """Return whether a name is marked as UTF-8, as Go's writer of zips does it."""
    if any(is_undecodable(character) for character in path):
        return False
    return any(not " " <= character <= "}" or character == "\\" for character in path)


def _compressed(content: bytes) -> tuple[int, bytes]:
    try:
        from deflate import deflate_compress
    except ImportError:  # no wheel for this machine
        return _STORED, content
    return _DEFLATED, bytes(deflate_compress(content, 6))


def package_files(path: Path) -> PluginFiles:
    """Open a package.

    :raises UnreadablePlugin: it is not a package, or exceeds a limit.
    """
    if path.stat().st_size > MAX_PACKAGE_BYTES:
        raise UnreadablePlugin(f"{path} is larger than the 50 MiB that Dify takes.")
    data = path.read_bytes()
    end = _end(data)
    if end is None:
        raise UnreadablePlugin(f"{path} is not a .difypkg, which is a zip: {_why_no_zip(data)}.")
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except UnicodeDecodeError:
        raise UnreadablePlugin(f"{path} holds a name which is not UTF-8: rename it.") from None
    except _BROKEN as error:
        raise UnreadablePlugin(f"{path} is not a .difypkg, which is a zip: {error}.") from None
    infos = package.infolist()
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_FILES or total > MAX_READ_BYTES:
        raise UnreadablePlugin(
            f"{path} unpacks to {len(infos):,} files and {total // 2**20:,} MiB, more than a "
            f"plugin can hold ({MAX_FILES:,} files, {MAX_READ_BYTES // 2**20} MiB)."
        )
    _refuse_overlaps(infos, path)
    names = [_name(info) for info in infos]
    for name in names:
        if fault := _name_fault(name):
            raise UnreadablePlugin(f"{path} holds {short(name)!r}, {fault}.")
    files = (
        File(path=name, size=info.file_size, read=partial(_read, data, info, path))
        for name, info in zip(names, infos, strict=True)
        if not name.endswith("/")
    )
    return PluginFiles(
        where=path,
        files=tuple(files),
        entries=tuple(names),
        comment=end.comment,
        surplus=end.surplus,
    )


@frozen
class _End:
    """The end of a zip.

    :param comment: the comment of the zip.
    :param surplus: bytes before and after the zip.
    """

    comment: bytes
    surplus: int


def _end(data: bytes) -> _End | None:
    """Find the end of a zip.

    ``None`` if there is none, if its comment is cut short, or if it promises a table of
    contents that is not there or is longer than :data:`MAX_DIRECTORY_BYTES`.
    """
    first = max(0, len(data) - _END.size - _MAX_COMMENT)
    begin = data.rfind(b"PK\x05\x06", first)
    while begin >= 0 and begin + _END.size > len(data):
        begin = data.rfind(b"PK\x05\x06", first, begin)
    if begin < 0:
        return None
    *_, size, start, length = _END.unpack_from(data, begin)
    comment = data[begin + _END.size :][:length]
    if size > min(begin, MAX_DIRECTORY_BYTES) or len(comment) < length:
        return None
    before = max(0, begin - size - start)
    return _End(comment, before + len(data) - begin - _END.size - length)


def short(name: str) -> str:
    """Shorten a name for a message."""
    return name if len(name) <= 80 else f"{name[:60]}…{name[-12:]}"


def _why_no_zip(data: bytes) -> str:
    if not data:
        return "it is empty"
    return "it is cut short" if data.startswith(b"PK") else "it is another kind of file"


def _name(info: zipfile.ZipInfo) -> str:
    """Return a name as its bytes are in UTF-8, which ``zipfile`` reads so only if a flag is set."""
    if info.flag_bits & _UTF8:
        return info.filename
    return info.filename.encode("cp437").decode(errors="surrogateescape")


def _name_fault(name: str) -> str:
    """Return what is wrong with the name of an entry."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts:
        return "which leads out of the package"
    if len(name) > 1024:
        return "a name longer than any file system takes"
    if "\0" in name or not name.strip("/") or name.strip("/") == ".":
        return "which names no file"
    if any(map(is_undecodable, name)):
        return "which is not UTF-8"
    return ""


def _refuse_overlaps(infos: list[zipfile.ZipInfo], path: Path) -> None:
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise UnreadablePlugin(f"{path} holds entries that overlap, as zip bombs do.")
        end = info.header_offset + _HEADER.size + info.compress_size


def _read(data: bytes, info: zipfile.ZipInfo, path: Path) -> bytes:
    """Read an entry, and no more of it than it promises.

    :raises UnreadablePlugin: it is damaged or encrypted, or its size is not the promised one.
    """
    name = short(info.filename)
    if info.flag_bits & _ENCRYPTED:
        raise UnreadablePlugin(f"{name} in {path} is encrypted, which Dify cannot read.")
    if info.compress_type not in (_STORED, _DEFLATED):
        raise UnreadablePlugin(f"{name} in {path} is packed in a way that Dify cannot read.")
    try:
        magic, *_, name_length, extra_length = _HEADER.unpack_from(data, info.header_offset)
        if magic != b"PK\x03\x04":
            raise struct.error("its header is damaged")  # noqa: TRY301
        start = info.header_offset + _HEADER.size + name_length + extra_length
        content = _unpacked(data[start : start + info.compress_size], info)
    except (zlib.error, struct.error) as error:
        raise UnreadablePlugin(f"{name} in {path} cannot be unpacked: {error}.") from None
    if len(content) != info.file_size:
        raise UnreadablePlugin(
            f"{name} in {path} cannot be unpacked: its length is not the recorded one."
        )
    if zlib.crc32(content) != info.CRC:
        raise UnreadablePlugin(f"{name} in {path} cannot be unpacked: its checksum is wrong.")
    return content


def _unpacked(packed: bytes, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type == _STORED:
        return packed
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    content = stream.decompress(packed, info.file_size + 1)
    if not stream.eof and len(content) <= info.file_size:
        raise zlib.error("its end is missing")
    return content
