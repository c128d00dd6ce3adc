"""The trees of tests/data/packing, written to disk."""

import json
import os
from base64 import b64decode
from pathlib import Path

DATA = Path(__file__).parent.parent / "data/packing"
_LOADED = json.loads((DATA / "trees.json").read_text())
TREES = _LOADED["trees"]


def write_tree(root, name):
    """Write a tree; return the folder of the plugin, as the packager is given it."""
    plugin, tree = root / "plugin", TREES[name]
    entries = {entry.get("path"): entry for entry in (*_LOADED["base"], *tree["entries"])}
    for entry in entries.values():
        base = root / "outside" if entry.get("outside") else plugin
        path = base / _name(entry)
        for number in range(0 if entry.get("absent") else entry.get("count", 1)):
            _write(Path(str(path).replace("{0000}", f"{number:04}")), entry, root)
    if tree.get("named_through_a_link"):
        (root / "link").symlink_to(plugin)
        return root / "link"
    return plugin


def _name(entry):
    return os.fsdecode(bytes.fromhex(entry["path_hex"])) if "path_hex" in entry else entry["path"]


def _write(path, entry, root):
    path.parent.mkdir(parents=True, exist_ok=True)
    if "link" in entry:
        path.symlink_to(entry["link"].replace("{outside}", str(root / "outside")))
    elif entry.get("dir"):
        path.mkdir()
    else:
        path.write_bytes(_content(entry))
    if "mode" in entry:
        path.chmod(int(entry["mode"], 8))


def _content(entry):
    if "fill" in entry:
        return bytes([entry["fill"]["byte"]]) * entry["fill"]["count"]
    return b64decode(entry["base64"]) if "base64" in entry else entry["text"].encode()
