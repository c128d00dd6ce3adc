"""Fit the costs of the estimate in ``xinfer/runtime/openai/tokens.py``; print both.

    npm pack js-tiktoken@1.0.21
    uv run --with dashscope==2.0.2 --with tiktoken --with numpy \\
        python tests/fit_tokens.py js-tiktoken-1.0.21.tgz

The vocabularies come out of packages: Qwen's of dashscope, OpenAI's of js-tiktoken. The texts are
the ``fit`` ones of ``data/tokens``, this repository's code and documentation, and the standard
library.
The counts in ``data/tokens/counts.json`` are made anew and compared.
"""

import base64
import json
import re
import sys
import sysconfig
import tarfile
from importlib.metadata import files
from pathlib import Path

import numpy
import tiktoken

from xinfer.runtime.openai import tokens

ROOT = Path(__file__).parents[1]
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PIECE = 600
"""Characters of a text that count as one observation."""
MOST = 120
"""Observations of one source: the standard library must not outweigh all else."""
RIDGE = 2e-4
"""How much a cost is drawn to the one that stands in the code, where texts say little of it."""
WEIGHTS = {"qwen": 2.0, "o200k_base": 1.0, "cl100k_base": 1.0}
LEFT_OUT_OF_CHINESE = "cl100k_base"
"""It needs 1.8 times as many tokens: no one number is near both."""


def vocabularies(package):
    """Return what encodes a text, by vocabulary."""
    listed = {file.name: file for file in files("dashscope") if file.suffix == ".tiktoken"}
    lines = listed["qwen.tiktoken"].locate().read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}
    yield "qwen", _encoder("qwen", QWEN_PATTERN, ranks)
    with tarfile.open(package) as archive:
        for name in ("o200k_base", "cl100k_base"):
            source = archive.extractfile(f"package/dist/ranks/{name}.js").read().decode()
            yield name, _encoder(name, *_of_js(source))


def _of_js(source):
    """Read a pattern, and ranks of lines that begin with ``! <first rank>``."""
    pattern = json.loads(re.search(r'"?pat_str"?:\s*("(?:[^"\\]|\\.)*")', source)[1])
    packed = json.loads(re.search(r'"?bpe_ranks"?:\s*("(?:[^"\\]|\\.)*")', source)[1])
    ranks = {}
    for line in packed.split("\n"):
        _, first, *encoded = line.split(" ")
        for rank, token in enumerate(encoded, int(first)):
            ranks[base64.b64decode(token)] = rank
    return pattern, ranks


def _encoder(name, pattern, ranks):
    encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return encoding.encode_ordinary


def texts():
    """Yield the source and each piece of text."""
    for path in sorted((ROOT / "tests/data/tokens").glob("*.txt")):
        for name, text in _parts(path):
            if name.startswith("fit"):
                yield from ((path.stem, piece) for piece in _pieces(text))
    library = Path(sysconfig.get_path("stdlib"))
    for source, paths in {
        "our Python": (ROOT / "xinfer").rglob("*.py"),
        "our English": (
            *ROOT.glob("*.md"),
            *(ROOT / "docs").rglob("*.md"),
            ROOT / "plugin/README.md",
        ),
        "our Chinese": (ROOT / "plugin/readme/README_zh_Hans.md", ROOT / "README.zh-CN.md"),
        "our JSON": (ROOT / "tests/data/xinference").glob("*.json"),
        "our YAML": (ROOT / "dist").rglob("*.yaml"),
        "the standard library": sorted(library.glob("*.py")),
        "a licence": (ROOT / "LICENSE", library / "LICENSE.txt"),
    }.items():
        pieces = [
            piece
            for path in sorted(paths)
            if path.exists()
            for piece in _pieces(path.read_text("utf-8", errors="replace"))
        ]
        yield from ((source, piece) for piece in pieces[:: -(-len(pieces) // MOST)])


def _parts(path):
    """Return the texts of a file by their names."""
    parts = re.split(r"^%% (.*)\n", path.read_text("utf-8"), flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _pieces(text):
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


COSTS = {**tokens._ASCII_COSTS, **tokens._OTHER_COSTS, "common": tokens._COMMON_COST}


def counted(text):
    """Count what the estimate adds costs for."""
    kinds = text.encode("utf-8", "surrogatepass").translate(tokens._KIND_OF, tokens._NO_CHARACTER)
    common = sum(character in tokens._COMMON for character in text)
    return [common if kind == "common" else kinds.count(kind) for kind in COSTS]


def fitted(observations):
    """Return the costs with the least relative error, in hundredths of a token."""
    rows = numpy.array(
        [numpy.array(counts) / real * weight for counts, real, weight in observations]
    )
    aims = numpy.array([100.0 * weight for _, _, weight in observations])
    stands = numpy.array(list(COSTS.values()), dtype=float)
    scale = RIDGE * numpy.maximum((rows**2).sum(axis=0), 1e-9).max()
    left = rows.T @ rows + scale * numpy.eye(len(stands))
    return numpy.linalg.solve(left, rows.T @ aims + scale * stands)


def report(name, costs, measured):
    """Print the error of some costs: the mean, and that of the worst tenth, by vocabulary."""
    for vocabulary, observed in measured.items():
        errors = sorted(abs(numpy.dot(costs, counts) / 100 / real - 1) for counts, real in observed)
        mean, worst = numpy.mean(errors), errors[int(len(errors) * 0.9)]
        print(f"{name:9} {vocabulary:12} mean {mean:5.1%}, nine in ten within {worst:5.1%}")


def recount(encoders):
    """Print the texts whose number of tokens is not what ``counts.json`` says."""
    counts = json.loads((ROOT / "tests/data/tokens/counts.json").read_text("utf-8"))
    for path in sorted((ROOT / "tests/data/tokens").glob("*.txt")):
        for name, text in _parts(path):
            told = counts[path.stem][name]
            real = {vocabulary: len(encode(text)) for vocabulary, encode in encoders.items()}
            if real != told:
                print(f"{path.stem}, {name}: counts.json has {told}, now {real}")


def main(package):
    encoders = dict(vocabularies(package))
    recount(encoders)
    observations, measured = [], {name: [] for name in encoders}
    for _, text in texts():
        counts = counted(text)
        chinese = sum("一" <= character <= "鿿" for character in text) > len(text) / 4
        for name, encode in encoders.items():
            real = len(encode(text))
            if real < 20 or (chinese and name == LEFT_OUT_OF_CHINESE):
                continue
            observations.append((counts, real, WEIGHTS[name]))
            measured[name].append((counts, real))
    costs = fitted(observations)
    for kind, stands, fits in zip(COSTS, COSTS.values(), costs, strict=True):
        print(f"{kind!s:14} stands {stands:5}   fits {fits:7.1f}")
    print(f"{len(observations)} observations")
    report("standing", numpy.array(list(COSTS.values()), dtype=float), measured)
    report("fitted", numpy.round(costs), measured)


if __name__ == "__main__":
    main(sys.argv[1])
