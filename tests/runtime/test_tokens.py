"""The token estimate against real counts; counting by a vocabulary that is cached."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken_ext.openai_public
from hypothesis import given
from hypothesis import strategies as st

from xinfer.runtime.openai import tokens
from xinfer.runtime.openai.tokens import estimate

DATA = Path(__file__).parent.parent / "data/tokens"
COUNTS: dict[str, dict[str, dict[str, int]]] = json.loads((DATA / "counts.json").read_text("utf-8"))
VOCABULARIES = ("qwen", "o200k_base", "cl100k_base")


def texts(kind: str) -> dict[str, str]:
    parts = re.split(r"^%% (.+)\n", (DATA / f"{kind}.txt").read_text("utf-8"), flags=re.MULTILINE)[
        1:
    ]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def bounds(kind: str, vocabulary: str) -> tuple[float, float]:
    """Return how far off the estimate may be: of all texts of a kind together, of any one."""
    if kind == "chinese" and vocabulary == "cl100k_base":
        return 0.40, 0.43  # no one number is near to all three
    if kind in {"korean", "russian"}:
        return 0.35, 0.40
    return 0.25, 0.28


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("part", ["fit", "held"])
@pytest.mark.parametrize("kind", COUNTS)
def test_the_estimate_is_near_to_real_vocabularies(kind, part, vocabulary):
    together, single = bounds(kind, vocabulary)
    of_part = {name: text for name, text in texts(kind).items() if name.startswith(part)}
    real = {name: COUNTS[kind][name][vocabulary] for name in of_part}
    estimated = {name: estimate(text) for name, text in of_part.items()}
    assert sum(estimated.values()) == pytest.approx(sum(real.values()), rel=together)
    for name, tokens_of_it in real.items():
        assert estimated[name] == pytest.approx(tokens_of_it, rel=single), name


def test_every_text_has_its_counts():
    assert {kind: set(names) for kind, names in COUNTS.items()} == {
        file.stem: set(texts(file.stem)) for file in DATA.glob("*.txt")
    }
    assert all(set(counts) == set(VOCABULARIES) for of in COUNTS.values() for counts in of.values())


def test_no_one_number_is_near_to_all_three_on_chinese():
    total = [sum(of[each] for of in COUNTS["chinese"].values()) for each in VOCABULARIES]
    least, most = min(total), max(total)
    assert 1.25 * least < 0.75 * most


anything = st.text(st.characters(exclude_categories=()))
"""Lone surrogates too: Dify's JSON can carry them."""
patterned = st.text("aZ0. \n\r\té中か的，。가 я😀", max_size=60)


@given(anything | patterned)
def test_any_text_has_an_estimate(text):
    assert isinstance(estimate(text), int)
    assert (estimate(text) == 0) == (text == "")
    assert estimate(text) <= 3 * len(text)


@given(anything | patterned, anything | patterned)
def test_estimates_add_up(first, second):
    assert abs(estimate(first + second) - estimate(first) - estimate(second)) <= 6


@given(st.text("aZ0. \n\té中か的，。가 я😀", min_size=1, max_size=12))
def test_a_longer_text_costs_more_whatever_it_is_made_of(unit):
    assert estimate(unit * 500) >= len(unit) * 500 * 0.02


@pytest.mark.parametrize("name", tokens._VOCABULARIES)
def test_tiktoken_asks_for_the_file_that_is_looked_for(name, monkeypatch):
    asked = []

    def load(source, expected_hash):
        asked.append((source, expected_hash))
        return {}

    monkeypatch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", load)
    tiktoken_ext.openai_public.ENCODING_CONSTRUCTORS[name]()
    assert asked == [(tokens._SOURCE.format(name), tokens._VOCABULARIES[name])]


SMALL = "".join(
    f"{base64.b64encode(token).decode()} {rank}\n"
    for rank, token in enumerate(
        [bytes([i]) for i in range(256)] + [b"to", b"ke", b"ken", b"token"]
    )
).encode()
"""A vocabulary in tiktoken's format: every byte, and one word with the merges that lead to it."""
SMALL_SHA256 = hashlib.sha256(SMALL).hexdigest()
SMALL_SOURCE = tokens._SOURCE.format("small")
SMALL_PLUGIN = f"""
from tiktoken.load import load_tiktoken_bpe

def small():
    ranks = load_tiktoken_bpe({SMALL_SOURCE!r}, {SMALL_SHA256!r})
    return dict(
        name="small", pat_str=r"\\w+|\\W", mergeable_ranks=ranks, special_tokens={{"<|end|>": 260}}
    )

ENCODING_CONSTRUCTORS = {{"small": small}}
"""

PROGRAM = """
import json, sys
from xinfer.runtime.openai import tokens

early = "tiktoken" in sys.modules
vocabularies, texts = json.load(sys.stdin)
tokens._VOCABULARIES.update(vocabularies)
network = []
sys.addaudithook(lambda event, _: event.startswith("socket.") and network.append(event))
counts = [tokens.count(text) for text in texts]
print(json.dumps([counts, early, "tiktoken" in sys.modules, network]))
"""

SAMPLES = [
    "",
    "token token",
    "tokentoken 中文",
    "<|end|><|endoftext|>",
    "lone \ud800 surrogate",
    "token " * 400,
    "token " * 10_000,
]
ESTIMATES = [estimate(text) for text in SAMPLES]


def counted(folder: Path, **environment: str):
    """Count the samples in a process of its own; return the counts and if tiktoken was imported."""
    plugin = folder / "plugin/tiktoken_ext/small.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(SMALL_PLUGIN)
    clean = {k: v for k, v in os.environ.items() if k not in {"TIKTOKEN_CACHE_DIR", "TMPDIR"}}
    clean.pop("DATA_GYM_CACHE_DIR", None)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([{"small": SMALL_SHA256}, SAMPLES]),
        env=clean | {"PYTHONPATH": str(plugin.parent.parent)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    counts, early, imported, network = json.loads(ran.stdout)
    assert not early
    assert network == []
    return counts, imported


def cached(folder: Path, content: bytes = SMALL) -> Path:
    """Put the small vocabulary where tiktoken keeps what it has downloaded."""
    folder.mkdir()
    file = folder / hashlib.sha1(SMALL_SOURCE.encode()).hexdigest()
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_without_a_vocabulary_count_estimates(variable, tmp_path):
    assert counted(tmp_path, **{variable: str(tmp_path / "none")}) == (ESTIMATES, False)


def test_without_a_cache_count_estimates(tmp_path):
    cached(tmp_path / "data-gym-cache")
    environment = {"TMPDIR": str(tmp_path), "TIKTOKEN_CACHE_DIR": ""}
    assert counted(tmp_path, **environment) == (ESTIMATES, False)


@pytest.mark.parametrize(
    ("variable", "place", "folder"),
    [
        ("TIKTOKEN_CACHE_DIR", "mine", "mine"),
        ("DATA_GYM_CACHE_DIR", "mine", "mine"),
        ("TMPDIR", "", "data-gym-cache"),
    ],
)
def test_count_uses_the_vocabulary_that_is_cached(variable, place, folder, tmp_path):
    cached(tmp_path / folder)
    counts, imported = counted(tmp_path, **{variable: str(tmp_path / place)})
    assert imported
    # A lone surrogate is one replacement character, three bytes; special tokens are text.
    assert counts[:5] == [0, 3, 2 + 1 + 6, 20, 4 + 1 + 3 + 1 + 9]
    # Cut into slices, a text has hardly more tokens than whole.
    assert counts[5] == pytest.approx(800, abs=10)
    assert counts[6] == ESTIMATES[6]


def test_a_spoilt_vocabulary_is_left_alone(tmp_path):
    spoilt = cached(tmp_path / "cache", SMALL[:-10])
    counts, imported = counted(tmp_path, TIKTOKEN_CACHE_DIR=str(spoilt.parent))
    assert (counts, imported) == (ESTIMATES, False)
    assert spoilt.exists()


def test_a_tiktoken_that_breaks_does_not_break_the_count(tmp_path):
    cached(tmp_path / "cache")
    broken = tmp_path / "broken"
    (broken / "tiktoken").mkdir(parents=True)
    (broken / "tiktoken/__init__.py").write_text("raise OSError('its library does not load')")
    environment = {"TIKTOKEN_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(broken)}
    assert counted(tmp_path, **environment) == (ESTIMATES, False)
