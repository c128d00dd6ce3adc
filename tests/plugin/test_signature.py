"""Signatures: the daemon's verdict on each of 45 packages, and its bytes for the same time."""

import io
import itertools
import json
import shutil
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugin.signed import SIGNED

from xinfer.plugin.archive import pack, package_files
from xinfer.plugin.checksum import checksum
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.signature import (
    VERIFICATION,
    KeyFileError,
    Verdict,
    generate_key,
    is_signed,
    private_pem,
    public_pem,
    read_private,
    read_public,
    sign,
    verify,
)

CASES = json.loads((SIGNED / "verdicts.json").read_text())["packages"]
PUBLIC = read_public((SIGNED / "test-only.public.pem").read_bytes())
PRIVATE = read_private((SIGNED / "test-only.private.pem").read_bytes(), bytes)
SAID = {
    "unsigned.difypkg": Verdict.UNSIGNED,
    "comment-removed.difypkg": Verdict.UNSIGNED,
    "comment-not-json.difypkg": Verdict.UNREADABLE,
    "comment-time-as-text.difypkg": Verdict.UNREADABLE,
    "comment-signature-url-safe.difypkg": Verdict.UNREADABLE,
    "comment-signature-cut.difypkg": Verdict.OTHER_KEY,
    "comment-empty-object.difypkg": Verdict.OTHER_KEY,
    "signed-other-key.difypkg": Verdict.OTHER_KEY,
    "signed-twice-other-key.difypkg": Verdict.OTHER_KEY,
    "tampered-order.difypkg": Verdict.REORDERED,
    "verification-entry-first.difypkg": Verdict.REORDERED,
    "folder-entry-added.difypkg": Verdict.FOLDERS,
}
WARNED = {
    "tampered-name.difypkg": "not in the order of their names",
    "tampered-name-of-icon.difypkg": "",
    "tampered-names-swapped.difypkg": "not in the order of their names",
    "tampered-order-of-equals.difypkg": "not in the order of their names",
    "bytes-before.difypkg": "4 bytes before or after the zip are not signed",
    "bytes-after.difypkg": "4 bytes before or after the zip are not signed",
    "signed-unknown-category.difypkg": "no category 'friends'",
    "signed-empty-category.difypkg": "no category ''",
    "signed-capital.difypkg": "no category 'Community'",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_the_verdict_is_the_daemons(case):
    path = SIGNED / case["file"]
    if case["opens"] or case.get("identifier_refused", "").startswith("flate"):
        with pytest.raises(UnreadablePlugin):
            verify(package_files(path), [PUBLIC])
        return
    files = package_files(path)
    result = verify(files, [PUBLIC])
    assert (result.verdict is Verdict.VALID) == case["daemon_verified"]
    if case["daemon_verified"]:
        assert result.category == (
            case["category"] if "category_taken" not in case else "langgenius"
        )
        assert any(WARNED.get(path.name, "") in text for text in result.warnings or [""])
        assert bool(result.warnings) >= bool(WARNED.get(path.name))
    else:
        assert result.verdict == SAID.get(path.name, Verdict.CHANGED)
    if case["identifier"]:
        assert checksum(files) == case["identifier"].partition("@")[2]


@pytest.mark.parametrize("category", ["langgenius", "partner", "community"])
def test_a_signature_has_the_daemons_bytes(category, tmp_path):
    theirs = package_files(SIGNED / f"signed-{category}.difypkg")
    time = json.loads(theirs.comment)["time"]
    package = sign(
        package_files(SIGNED / "unsigned.difypkg"), PRIVATE, category=category, time=time
    )
    (tmp_path / "x.difypkg").write_bytes(package)
    ours = package_files(tmp_path / "x.difypkg")
    assert ours.comment == theirs.comment
    assert ours.entries == theirs.entries
    assert checksum(ours) == checksum(theirs)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-zé模][a-z0-9_.-]{0,12}(/[a-z0-9_-]{1,8}){0,2}", fullmatch=True),
        st.binary(max_size=400),
        max_size=6,
    )
)
def test_packing_and_reading_again_changes_nothing(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("packed") / "x.difypkg"
    path.write_bytes(pack(sorted(contents.items(), key=lambda item: item[0].encode())))
    files = package_files(path)
    assert dict(files) == contents
    assert pack(files.items()) == path.read_bytes()


MASKS = (0x01, 0x20, 0x80, 0xFF)
"""What bytes are changed by: a bit, the case of a letter, what is no ASCII, everything."""


def regions(whole):
    """Name what each byte of a zip holds, by its format."""
    entry = {
        **dict.fromkeys(("version", "flags", "method", "time", "date"), 2),
        **dict.fromkeys(("crc", "packed", "size"), 4),
        "name-length": 2,
    }
    local = {"magic": 4, **entry, "extra": 2}
    central = {
        "magic": 4,
        "made-by": 2,
        **entry,
        "extra-length": 2,
        "comment-length": 2,
        "disk": 2,
        "internal": 2,
        "external": 4,
        "offset": 4,
    }
    end = {
        "magic": 4,
        "disk": 2,
        "first-disk": 2,
        "entries": 2,
        "all-entries": 2,
        "length": 4,
        "start": 4,
        "comment-length": 2,
    }
    places = {}

    def note(at, part, widths):
        for name, width in widths.items():
            places.update(dict.fromkeys(range(at, at + width), f"{part} {name}"))
            at += width
        return at

    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        for info in package.infolist():
            at = note(info.header_offset, "local", local)
            at = note(at, "local", {"name": len(info.filename)})
            note(at, "content", {"data": info.compress_size})
        at = package.start_dir
        for info in package.infolist():
            at = note(at, "central", central)
            at = note(at, "central", {"name": len(info.filename)})
        at = note(at, "end", end)
        note(at, "end", {"comment": len(package.comment)})
    assert sorted(places) == list(range(len(whole)))
    return places


def test_every_changed_byte_is_noticed_or_lies_where_no_content_is(tmp_path):
    """Of a small signed package; what is not signed are names, and fields of the zip's tables."""
    path = tmp_path / "small.difypkg"
    path.write_bytes(pack([("a", b"first"), ("b", bytes(200))]))
    path.write_bytes(sign(package_files(path), PRIVATE, category="community", time=1))
    whole = path.read_bytes()
    places = regions(whole)
    contents = [file.read() for file in package_files(path).files]
    unnoticed = {}
    for place, mask in itertools.product(range(len(whole)), MASKS):
        changed = bytearray(whole)
        changed[place] ^= mask
        path.write_bytes(changed)
        try:
            files = package_files(path)
            verdict = verify(files, [PUBLIC]).verdict
        except UnreadablePlugin:
            continue
        if verdict is Verdict.VALID:
            assert [file.read() for file in files.files] == contents, places[place]
            unnoticed.setdefault(places[place], set()).add(bytes(changed[place : place + 1]))
    # Go reads the keys of the comment's JSON in any case of letters.
    assert unnoticed.pop("end comment") <= {bytes([c]) for c in b"SIGNATUREM"}
    listed = "\n".join(f"{region}: {values}" for region, values in sorted(unnoticed.items()))
    assert set(unnoticed) == UNSIGNED, listed


UNSIGNED = {
    "content data",  # bits of the deflated data that say nothing, as the contents are the same
    *("local name", "central name", "central name-length"),
    *(f"local {name}" for name in ("version", "flags", "method", "time", "date")),
    *(f"local {name}" for name in ("crc", "packed", "size")),  # those of the table count
    *(f"central {name}" for name in ("version", "made-by", "flags", "time", "date", "packed")),
    *(f"central {name}" for name in ("extra-length", "comment-length", "disk")),
    *("central internal", "central external"),
    *("end disk", "end first-disk", "end entries", "end all-entries"),
}
"""What may change while the signature stays valid: names, and what no reader looks at."""


def test_keys_are_read_in_the_forms_that_people_have(tmp_path):
    key = generate_key()
    assert key.key_size == 4096
    plain, locked = private_pem(key), private_pem(key, b"secret")
    assert plain.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert locked.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    for pem in (plain, locked):
        assert read_private(pem, lambda: b"secret").private_numbers() == key.private_numbers()
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        read_private(locked, lambda: b"guess")
    public = public_pem(key.public_key())
    assert public.startswith(b"-----BEGIN RSA PUBLIC KEY-----")
    assert read_public(public).public_numbers() == key.public_key().public_numbers()
    for wrong in (b"", b"no key", public):
        with pytest.raises(KeyFileError):
            read_private(wrong, bytes)


def test_a_signed_package_is_known(tmp_path):
    assert not is_signed(package_files(SIGNED / "unsigned.difypkg"))
    assert is_signed(package_files(SIGNED / "signed-partner.difypkg"))
    assert is_signed(package_files(SIGNED / "comment-removed.difypkg"))
    assert VERIFICATION in package_files(SIGNED / "signed-partner.difypkg")
    shutil.rmtree(tmp_path)
