"""``--fix`` rewrites what SDK 0.9.0 renamed, shows each change, and touches nothing else."""

import pytest
from rules.plugins import lay

from xinfer.importer import repair
from xinfer.plugin.read import read_plugin
from xinfer.rules import RULES, check
from xinfer.rules.examples import PYPROJECT, PYTHON

TEXTS = """\
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import I18nObject as Text


def later(entity, model):
    # 标签 entity.label.en_US
    entity.label.en_US = entity.help.zh_Hans; 名 = entity.label.en_US + "en_US"
    label = Text(en_US=model, zh_Hans=名)
    entity.label = I18nObject(
        en_US=label.en_US,
    )
    return other(en_US=model), label.pt_BR, model.en_US


def other(en_US):
    return en_US
"""
RENAMED = """\
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import I18nObject as Text


def later(entity, model):
    # 标签 entity.label.en_US
    entity.label.en_us = entity.help.zh_hans; 名 = entity.label.en_us + "en_US"
    label = Text(en_us=model, zh_hans=名)
    entity.label = I18nObject(
        en_us=label.en_us,
    )
    return other(en_US=model), label.pt_br, model.en_US


def other(en_US):
    return en_US
"""


@pytest.fixture
def plugin(tmp_path):
    """A plugin that imports a module of texts, which none of the examples replaces."""

    def write(text=TEXTS, **files):
        example = {PYTHON: "from models import texts\n", **files}
        folder, _, _ = lay(RULES["XI655"], example, tmp_path)
        (folder / "models/texts.py").write_bytes(text.encode() if isinstance(text, str) else text)
        return folder

    return write


def test_each_old_name_is_renamed_and_shown(plugin):
    folder = plugin()
    assert "XI655" in {finding.code for finding in check(read_plugin(folder))}
    edits = repair(folder)
    assert (folder / "models/texts.py").read_text("utf-8") == RENAMED
    assert [str(edit) for edit in edits] == [
        "models/texts.py:7: renamed entity.label.en_US to .en_us",
        "models/texts.py:7: renamed entity.help.zh_Hans to .zh_hans",
        "models/texts.py:7: renamed entity.label.en_US to .en_us",
        "models/texts.py:8: renamed the argument en_US to en_us",
        "models/texts.py:8: renamed the argument zh_Hans to zh_hans",
        "models/texts.py:10: renamed the argument en_US to en_us",
        "models/texts.py:10: renamed label.en_US to .en_us",
        "models/texts.py:12: renamed label.pt_BR to .pt_br",
    ]
    assert repair(folder) == ()
    assert check(read_plugin(folder)) == ()


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_stay(plugin, newline):
    text = b"\xef\xbb\xbf" + TEXTS.replace("\n", newline).encode()
    folder = plugin(text)
    assert len(repair(folder)) == 8
    expected = b"\xef\xbb\xbf" + RENAMED.replace("\n", newline).encode()
    assert (folder / "models/texts.py").read_bytes() == expected


@pytest.mark.parametrize("text", ["# -*- coding: gbk -*-\n", "from xinfer.spec import I18n\n"])
def test_a_file_in_another_encoding_or_with_texts_of_a_spec_stays(plugin, text):
    encoded = (text + TEXTS).encode("gbk" if "gbk" in text else "utf-8")
    encoded = encoded.replace(b"I18nObject", b"I18n") if b"xinfer" in encoded else encoded
    folder = plugin(encoded)
    assert repair(folder) == ()
    assert (folder / "models/texts.py").read_bytes() == encoded


def test_a_plugin_that_keeps_to_the_old_sdk_stays(plugin):
    pyproject = (
        '[project]\nname = "acme"\nversion = "0.1.0"\n'
        'dependencies = ["dify_plugin>=0.7,<0.9", "requests"]\n'
    )
    folder = plugin(**{PYPROJECT: pyproject})
    assert repair(folder) == ()
    assert (folder / "models/texts.py").read_text("utf-8") == TEXTS
