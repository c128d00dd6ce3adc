"""The signature of a package: RSA over the contents of its entries, in the comment of the zip.

As the daemon does it: SHA-256 of each content, in the order of the zip; behind them the time, in
decimal digits; over all that RSA with PKCS #1 v1.5 and SHA-256. Names are not signed. An entry
``.verification.dify.json`` at the end names the category of the author.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from posixpath import normpath
from typing import Any

from attrs import frozen
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

from xinfer.plugin.archive import pack
from xinfer.plugin.files import File, PluginFiles, in_package_order

CATEGORIES = ("langgenius", "partner", "community")
VERIFICATION = ".verification.dify.json"
_KEY_BITS = 4096
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


class Verdict(StrEnum):
    """The result of checking a package's signature, in one word."""

    VALID = "valid"
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"
    FOLDERS = "folders"
    CHANGED = "changed"
    REORDERED = "reordered"
    OTHER_KEY = "another key"


EXPLANATIONS = {
    Verdict.VALID: "The signature is valid.",
    Verdict.UNSIGNED: "The package is not signed.",
    Verdict.UNREADABLE: "The package is signed in a way that Dify cannot read.",
    Verdict.FOLDERS: "The package has entries for folders, which Dify cannot verify.",
    Verdict.CHANGED: "The signature is not valid: the package was changed after it was signed.",
    Verdict.REORDERED: "The signature is not valid: the entries are in another order than signed.",
    Verdict.OTHER_KEY: "The signature is not valid: it was made with another key, or is damaged.",
}


class KeyFileError(Exception):
    """A key cannot be read; ``str`` says why."""


@frozen(kw_only=True)
class Verification:
    """The result of checking a signature.

    :param category: what Dify takes the author for, if the signature is valid.
    :param time: when the package was signed, in seconds since 1970, if that can be read.
    :param warnings: what the signature does not cover, and looks odd.
    """

    verdict: Verdict
    category: str | None = None
    time: int | None = None
    warnings: tuple[str, ...] = ()


def generate_key() -> RSAPrivateKey:
    """Make a key as long as the daemon's command makes them."""
    return generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


def private_pem(key: RSAPrivateKey, passphrase: bytes | None = None) -> bytes:
    """Write a private key as PKCS #1, which Dify reads; with a passphrase only xinfer reads it."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    form = (
        serialization.PrivateFormat.PKCS8
        if passphrase
        else serialization.PrivateFormat.TraditionalOpenSSL
    )
    return key.private_bytes(serialization.Encoding.PEM, form, encryption)


def public_pem(key: RSAPublicKey) -> bytes:
    """Write a public key as PKCS #1, the one form that Dify reads."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)


def read_private(pem: bytes, passphrase: Callable[[], bytes]) -> RSAPrivateKey:
    """Read a private key, PKCS #1 or PKCS #8.

    :param passphrase: called if the key is encrypted.
    :raises KeyFileError: it is not such a key, or the passphrase is wrong.
    """
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        try:
            key = serialization.load_pem_private_key(pem, passphrase())
        except (ValueError, UnsupportedAlgorithm):
            raise KeyFileError("the passphrase is wrong") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError("it holds no private key in PEM") from None
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileError("it is not an RSA key, which Dify asks for")
    return key


def read_public(pem: bytes) -> RSAPublicKey:
    """Read a public key, PKCS #1 or the form that OpenSSL writes.

    :raises KeyFileError: it is not such a key.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError("it holds no public key in PEM") from None
    if not isinstance(key, RSAPublicKey):
        raise KeyFileError("it is not an RSA key, which Dify asks for")
    return key


def is_signed(files: PluginFiles) -> bool:
    """Return whether a package has been signed."""
    return bool(files.comment.strip()) or any(file.path == VERIFICATION for file in files.files)


def sign(files: PluginFiles, key: RSAPrivateKey, *, category: str, time: int) -> bytes:
    """Sign a package; the same arguments give the same signature as Dify's own command.

    :param category: one of :data:`CATEGORIES`, or any other word for a daemon that accepts it.
    :param time: in seconds since 1970.
    :return: the signed package.
    """
    verification = json.dumps({"authorized_category": category}, separators=(",", ":")).encode()
    entries = [(normpath(file.path), file.read()) for file in files.files]
    entries.append((VERIFICATION, verification))
    data = _signed_data((content for _, content in entries), time)
    signature = base64.b64encode(key.sign(data, PKCS1v15(), SHA256())).decode()
    comment = json.dumps({"signature": signature, "time": time}, separators=(",", ":"))
    return pack(entries, comment.encode())


def verify(files: PluginFiles, keys: Iterable[RSAPublicKey]) -> Verification:
    """Check the signature of a package, as the daemon does.

    :param keys: public keys, of which one must fit.
    :raises UnreadablePlugin: an entry is damaged.
    """
    warnings = tuple(_warnings(files))
    if not files.comment:
        return Verification(verdict=Verdict.UNSIGNED, warnings=warnings)
    try:
        signature, time = _comment(files.comment)
    except ValueError:
        return Verification(verdict=Verdict.UNREADABLE, warnings=warnings)
    if any(name.endswith("/") for name in files.entries):
        return Verification(verdict=Verdict.FOLDERS, time=time, warnings=warnings)
    keys = tuple(keys)
    # Of two entries of one name, Dify reads the first, twice.
    data = _signed_data((files[file.path] for file in files.files), time)
    if any(_fits(key, signature, data) for key in keys):
        category = _category(files)
        return Verification(verdict=Verdict.VALID, category=category, time=time, warnings=warnings)
    verdict = Verdict.OTHER_KEY
    if any(_made_by(key, signature) for key in keys):
        in_order = _signed_data((files[file.path] for file in _as_packed(files)), time)
        reordered = any(_fits(key, signature, in_order) for key in keys)
        verdict = Verdict.REORDERED if reordered else Verdict.CHANGED
    return Verification(verdict=verdict, time=time, warnings=warnings)


def _signed_data(contents: Iterable[bytes], time: int) -> bytes:
    return b"".join(hashlib.sha256(content).digest() for content in contents) + str(time).encode()


def _fits(key: RSAPublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _made_by(key: RSAPublicKey, signature: bytes) -> bool:
    """Return whether a signature was made with a key, of whatever data."""
    try:
        key.recover_data_from_signature(signature, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _as_packed(files: PluginFiles) -> list[File]:
    """Put the entries in the order in which a package is signed."""
    signed = [file for file in files.files if file.path != VERIFICATION]
    return [*in_package_order(signed), *(f for f in files.files if f.path == VERIFICATION)]


def _comment(comment: bytes) -> tuple[bytes, int]:
    """Read the signature and the time, as Go reads JSON and Base64.

    :raises ValueError: the comment is of another form.
    """
    read: Any = json.loads(comment)
    if not isinstance(read, dict):
        raise ValueError("no object")  # noqa: TRY004
    # Go takes a key in any case of letters, and a missing one for empty.
    fields = {str(name).lower(): value for name, value in read.items()}
    signature, time = fields.get("signature") or "", fields.get("time") or 0
    if not isinstance(signature, str) or type(time) is not int or abs(time) >= 2**63:
        raise ValueError("of another type")
    text = re.sub(rb"[\r\n]", b"", signature.encode())
    if _NOT_BASE64.search(text):
        raise ValueError("no Base64")
    return base64.b64decode(text, validate=True), time


def _category(files: PluginFiles) -> str:
    """Return what Dify takes the author for: of two entries it reads the first."""
    if VERIFICATION not in files:
        return CATEGORIES[0]
    try:
        read: Any = json.loads(files[VERIFICATION])
    except ValueError:
        return ""
    return str(read.get("authorized_category", "")) if isinstance(read, dict) else ""


def _warnings(files: PluginFiles) -> Iterable[str]:
    names = [file.path for file in files.files if file.path != VERIFICATION]
    if [name.encode(errors="surrogateescape") for name in names] != sorted(
        name.encode(errors="surrogateescape") for name in names
    ):
        yield (
            "The entries are not in the order of their names: files may have been renamed, which "
            "no signature notices."
        )
    if len(set(names)) < len(names):
        yield "A name is in the package twice; Dify reads the first."
    category = _category(files)
    if category not in CATEGORIES:
        yield f"Dify knows no category {category!r}, only {', '.join(CATEGORIES)}."
    if files.surplus:
        yield f"{files.surplus} bytes before or after the zip are not signed."
