"""What users read, as ``tests/messages.py`` prints it: filled in, of no machine, in plain words."""

import re
from pathlib import Path

import pytest
from messages import of_calls, of_errors, of_rules

from xinfer.rules import RULES

PRIVATE = r"\b(cures?|mend(ed|s)?|gates?|stand-in|desk|careless|is none by PEP)\b"
PARTS = {"rules": lambda: of_rules(examples=1), "calls": of_calls, "errors": of_errors}


@pytest.mark.parametrize("part", PARTS)
def test_messages_are_filled_in_and_in_plain_words(part):
    texts = [text for _, text in PARTS[part]()]
    assert len(texts) >= len(RULES) if part == "rules" else len(texts) > 50
    here = str(Path(__file__).parent.parent)
    wrong = [
        text
        for text in texts
        if re.search(r"\{[a-z_]+[}!:]|[^ \n]  |(?<!\.)\.\.(?!\.)", text)
        or re.search(PRIVATE, text, re.IGNORECASE)
        or here in text
    ]
    assert wrong == []


def test_each_refused_call_is_told_in_both_languages():
    for (kind, english), (same, chinese) in zip(*[iter(of_calls())] * 2, strict=True):
        assert kind == same
        assert english.isascii()
        assert re.search("[一-鿿]", chinese)
        assert ". " in english
        assert "。" in chinese
