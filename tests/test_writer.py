"""The writer: nothing needless is written, nothing foreign is lost, a crash leaves the old tree."""

from pathlib import Path

import pytest

from xinfer.plugin import writer
from xinfer.plugin.writer import ForeignFileError, differences, write_file, write_tree

TREE = {"a.yaml": b"a: 1\n", "models/llm/llm.py": b"x = 1\n"}


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != writer.RECORD
    }


def test_a_second_build_of_the_same_writes_nothing(tmp_path):
    folder = tmp_path / "plugin"
    assert write_tree(TREE, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert not write_tree(TREE, folder)
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert list(differences(TREE, folder)) == []


def test_equal_files_keep_their_time_stale_ones_go_and_foreign_ones_stay(tmp_path):
    folder = tmp_path / "plugin"
    write_tree({**TREE, "old.yaml": b"old"}, folder)
    (folder / "mine.txt").write_text("mine")
    modified = (folder / "a.yaml").stat().st_mtime_ns
    assert write_tree({**TREE, "models/llm/llm.py": b"x = 2\n"}, folder)
    assert contents(folder) == {
        "a.yaml": b"a: 1\n",
        "models/llm/llm.py": b"x = 2\n",
        "mine.txt": b"mine",
    }
    assert (folder / "a.yaml").stat().st_mtime_ns == modified
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]


def test_someone_elses_file_in_the_way_is_refused_by_name_and_kept(tmp_path):
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "a.yaml").write_text("mine")
    with pytest.raises(ForeignFileError, match=r"a\.yaml was not written by a build"):
        write_tree(TREE, folder)
    assert contents(folder) == {"a.yaml": b"mine"}


@pytest.mark.parametrize(
    ("mine", "built"), [("models", "models/llm/m.yaml"), ("a.yaml/mine.txt", "a.yaml")]
)
def test_a_file_where_a_folder_must_go_and_the_reverse(tmp_path, mine, built):
    folder = tmp_path / "plugin"
    (folder / mine).parent.mkdir(parents=True)
    (folder / mine).write_text("mine")
    with pytest.raises(ForeignFileError, match="was not written by a build"):
        write_tree({built: b"x"}, folder)
    assert contents(folder) == {mine: b"mine"}


def test_what_an_earlier_build_made_gives_way_to_a_folder_of_its_name_and_the_reverse(tmp_path):
    folder = tmp_path / "plugin"
    for tree in ({"models": b"x"}, {"models/llm/m.yaml": b"y"}, {"models": b"x"}):
        write_tree(tree, folder)
        assert contents(folder) == tree


@pytest.mark.parametrize("survives", [0, 1, 2])
def test_a_crash_while_filling_leaves_the_old_tree_whole(tmp_path, monkeypatch, survives):
    folder = tmp_path / "plugin"
    write_tree(TREE, folder)
    written, write_bytes = [], Path.write_bytes

    def full(path, content):
        if len(written) == survives:
            raise OSError("disk full")
        written.append(path)
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        write_tree({"b.yaml": b"b", "c/d.yaml": b"d", "e.yaml": b"e"}, folder)
    assert contents(folder) == TREE
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]


def test_where_folders_cannot_be_exchanged_they_are_renamed(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_exchange", lambda *_: False)
    folder = tmp_path / "plugin"
    write_tree(TREE, folder)
    (folder / "mine.txt").write_text("mine")
    write_tree({"b.yaml": b"b"}, folder)
    assert contents(folder) == {"b.yaml": b"b", "mine.txt": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]


def test_a_second_rename_that_fails_takes_the_first_one_back(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_exchange", lambda *_: False)
    folder, rename = tmp_path / "plugin", Path.rename
    write_tree(TREE, folder)

    def busy(path, target):
        if target == folder and path.parent == tmp_path:
            raise OSError("busy")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", busy)
    with pytest.raises(OSError, match="busy"):
        write_tree({"b.yaml": b"b"}, folder)
    assert contents(folder) == TREE
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]


def test_one_file_keeps_its_mode_and_the_links_to_it(tmp_path):
    (tmp_path / "real.yaml").write_text("a")
    (tmp_path / "real.yaml").chmod(0o600)
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    assert write_file(tmp_path / "link.yaml", b"b")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_bytes() == b"b"
    assert (tmp_path / "real.yaml").stat().st_mode & 0o777 == 0o600


def test_a_hand_edit_shows_as_a_diff(tmp_path):
    folder = tmp_path / "plugin"
    write_tree(TREE, folder)
    (folder / "a.yaml").write_text("a: 2\n")
    diff = list(differences(TREE, folder))
    assert "-a: 2" in diff
    assert "+a: 1" in diff
