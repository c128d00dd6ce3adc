"""Signatures: the daemon's verdict on each of 45 packages, and its bytes for the same time."""

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
    made = sign(package_files(SIGNED / "unsigned.difypkg"), PRIVATE, category=category, time=time)
    (tmp_path / "x.difypkg").write_bytes(made)
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


def test_every_changed_byte_is_noticed_or_lies_where_no_content_is(tmp_path):
    """Of a small signed package; what is not signed are names, and fields of the zip's tables."""
    key = PRIVATE
    path = tmp_path / "small.difypkg"
    path.write_bytes(pack([("a", b"first"), ("b", bytes(200))]))
    path.write_bytes(sign(package_files(path), key, category="community", time=1))
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as package:
        contents = {
            place
            for info in package.infolist()
            for place in range(
                info.header_offset + 30 + len(info.filename),
                info.header_offset + 30 + len(info.filename) + info.compress_size,
            )
        }
        comment = set(range(len(whole) - len(package.comment), len(whole)))
    unnoticed = []
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x01
        path.write_bytes(changed)
        try:
            verdict = verify(package_files(path), [PUBLIC]).verdict
        except UnreadablePlugin:
            continue
        if verdict is Verdict.VALID:
            unnoticed.append(place)
    assert unnoticed, "names are not signed"
    assert contents.isdisjoint(unnoticed)
    assert comment.isdisjoint(unnoticed)


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
