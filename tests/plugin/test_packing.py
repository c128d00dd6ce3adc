"""What the daemon's packager does with 79 trees: files, order, checksum, identifier, refusal.

Trees and answers come from the daemon's own code; see tests/data/packing/README.md.
"""

import csv
import hashlib
import io
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml
from plugin.trees import DATA, TREES, write_tree

from xinfer.plugin.archive import pack, package_files
from xinfer.plugin.checksum import checksum, identifier
from xinfer.plugin.folder import folder_files
from xinfer.plugin.limits import MAX_PACKAGE_BYTES, UnreadablePlugin
from xinfer.plugin.read import plugin_of, read_plugin
from xinfer.plugin.requirements import with_requirements

LINK = "78-folder-named-through-a-link"
"""Here the packager makes an empty package, and says nothing; xinfer packs the folder."""
NOT_READABLE = {
    "45-link-to-folder": ("linked", "a link to a folder"),
    "47-link-to-folder-ignored-with-slash": ("linked", "a link to a folder"),
    "48-dangling-link": ("gone.txt", "a link that leads nowhere"),
    "51-linked-assets": ("_assets", "a link to a folder"),
    "56-link-loop": ("loop", "a link in a circle"),
}


@pytest.mark.parametrize("name", [name for name in TREES if name != LINK])
def test_files_order_and_checksum_are_the_daemons(name, tmp_path):
    expected = TREES[name]["expected"]
    selected = folder_files(write_tree(tmp_path, name))
    if (expected["refused"] or "").startswith("uv export"):
        with pytest.raises(UnreadablePlugin, match="Group `dev` is not defined"):
            with_requirements(selected)
        return
    files = with_requirements(selected)
    names = [file.path for file in files.files]
    assert [(gone.path, gone.reason) for gone in files.unpackable] == (
        [NOT_READABLE[name]] if name in NOT_READABLE else []
    )
    assert (files.size > MAX_PACKAGE_BYTES) == ("too large" in (expected["refused"] or ""))
    if expected["files"] is not None:
        assert names == expected["files"]
    elif "files_hex" in expected:
        assert [os.fsencode(path).hex() for path in names] == expected["files_hex"]
    elif "files_count" in expected:
        assert len(names) == expected["files_count"]
        joined = hashlib.sha256("\n".join(names).encode()).hexdigest()
        assert joined == expected["files_sha256_of_joined"]
    else:
        assert expected["refused"]
    digest = checksum(files)
    if expected["checksum"] is not None:
        assert digest == expected["checksum"]
    if expected["identifier"] is not None:
        manifest = yaml.safe_load(files["manifest.yaml"])
        parts = manifest.get("author"), manifest["name"], manifest["version"]
        assert identifier(*parts, digest) == expected["identifier"]
    if "folder_checksum" in expected and "backslash" not in name:
        assert checksum(selected) == expected["folder_checksum"]


def test_a_folder_named_through_a_link_is_packed(tmp_path):
    files = folder_files(write_tree(tmp_path, LINK))
    assert "a.txt" in files


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            {"manifest.yaml": b"name: a\n"},
            "6c30d207455252257b2233e5236987a311b6ae2161566d5d99b7aae58762db7a",
        ),
        (
            {"manifest.yaml": b"name: a\n", "a/b": b"", "a-b": b"x", "é": b"\xff\x00"},
            "5593434f2f250045146ec08f41a8d98a6f64a8458a85f4184aae4d922c50d092",
        ),
    ],
)
def test_the_checksum_of_a_few_bytes(content, expected, tmp_path):
    package = tmp_path / "x.difypkg"
    package.write_bytes(pack(content.items()))
    assert checksum(package_files(package)) == expected


def test_every_zip_reader_reads_what_pack_writes():
    content = {"é": b"\xff\x00" * 1000, "empty": b"", "a/b": os.urandom(300), "~": b"x"}
    with zipfile.ZipFile(io.BytesIO(pack(content.items(), b"comment"))) as package:
        assert package.testzip() is None
        assert {name: package.read(name) for name in package.namelist()} == content
        assert package.namelist() == list(content)
        assert package.comment == b"comment"
        assert {info.external_attr for info in package.infolist()} == {0}
        flags = {info.filename: info.flag_bits for info in package.infolist()}
        assert flags == {"é": 0x800, "empty": 0, "a/b": 0, "~": 0x800}


def test_reasons_name_the_line(tmp_path):
    plugin = write_tree(tmp_path, "01-no-ignore-file")
    (plugin / ".difyignore").write_text("# tools\n.venv/\n*.pem\n!key.private.pem\n**/ab/cd\n")
    reasons = {gone.path: gone.reason for gone in folder_files(plugin).left_out}
    assert reasons == {
        ".venv/": "line 2 of .difyignore (.venv/)",
        "key.private.pem": "line 3 of .difyignore (*.pem)",
        ".git/objects/ab/cd": "line 5 of .difyignore (**/ab/cd)",
    }


COMMIT = "7af22831a58ded846388b8de0c232b2b377a1055"
OFFICIAL = os.environ.get("XINFER_OFFICIAL", "")
ROWS = tuple(csv.DictReader((DATA / "official.tsv").open(), delimiter="\t"))


@pytest.mark.only_if(bool(OFFICIAL), "set XINFER_OFFICIAL to a checkout of dify-official-plugins")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["plugin"])
def test_the_official_plugins(row):
    """Set XINFER_OFFICIAL to a checkout of dify-official-plugins at :data:`COMMIT`."""
    assert (
        subprocess.check_output(["git", "-C", OFFICIAL, "rev-parse", "HEAD"], text=True).strip()
        == COMMIT
    )
    selected = folder_files(Path(OFFICIAL) / "models" / row["plugin"])
    assert checksum(selected) == row["folder_checksum"]
    files = with_requirements(selected)
    names = [file.path for file in files.files]
    assert hashlib.sha256("\n".join(names).encode()).hexdigest() == row["sha256_of_names"]
    assert len(names) == int(row["files"])
    if hashlib.sha256(files["requirements.txt"]).hexdigest() == row["requirements"].split()[1]:
        assert checksum(files) == row["checksum"]
    assert len(plugin_of(files).models) == int(row["models"])


def test_a_model_that_no_position_names_comes_last(plugin_folder):
    position = plugin_folder / "models/llm/_position.yaml"
    assert [m.model for m in read_plugin(plugin_folder).models] == ["tariff-swift", "tariff-sage"]
    position.write_text("- tariff-sage\n", "utf-8")
    assert [m.model for m in read_plugin(plugin_folder).models] == ["tariff-sage", "tariff-swift"]
    position.write_text("- tariff-swift\n", "utf-8")
    assert [m.model for m in read_plugin(plugin_folder).models] == ["tariff-swift", "tariff-sage"]
