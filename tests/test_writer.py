"""The writer: nothing needless is written, nothing foreign is lost, a crash leaves the old tree."""

import pytest

from xinfer.build import writer
from xinfer.build.writer import ForeignFileError, differences, write_tree

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
    kept = (folder / "a.yaml").stat().st_mtime_ns
    assert write_tree({**TREE, "models/llm/llm.py": b"x = 2\n"}, folder)
    assert contents(folder) == {
        "a.yaml": b"a: 1\n",
        "models/llm/llm.py": b"x = 2\n",
        "mine.txt": b"mine",
    }
    assert (folder / "a.yaml").stat().st_mtime_ns == kept
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]


def test_someone_elses_file_in_the_way_is_refused_by_name_and_kept(tmp_path):
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "a.yaml").write_text("mine")
    with pytest.raises(ForeignFileError, match=r"a\.yaml was not made by a build"):
        write_tree(TREE, folder)
    assert contents(folder) == {"a.yaml": b"mine"}


@pytest.mark.parametrize("step", ["_fill", "_swap"])
def test_a_crash_leaves_the_old_tree_whole(tmp_path, monkeypatch, step):
    folder = tmp_path / "plugin"
    write_tree(TREE, folder)

    def crash(*_):
        raise OSError("disk full")

    monkeypatch.setattr(writer, step, crash)
    with pytest.raises(OSError, match="disk full"):
        write_tree({"b.yaml": b"b"}, folder)
    assert contents(folder) == TREE
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]


def test_a_hand_edit_shows_as_a_diff(tmp_path):
    folder = tmp_path / "plugin"
    write_tree(TREE, folder)
    (folder / "a.yaml").write_text("a: 2\n")
    diff = list(differences(TREE, folder))
    assert "-a: 2" in diff
    assert "+a: 1" in diff
