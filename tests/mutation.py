"""Change the source one place at a time and tell which changes no test notices.

    nice -n 15 uv run --with cosmic-ray==8.7.0 python tests/mutation.py
    uv run --with cosmic-ray==8.7.0 python tests/mutation.py --sample 0 xinfer/yaml/read.py

cosmic-ray finds the places and makes the changes, in a copy of the repository. Each mutant is tried
with the tests of its module alone, up to the first that fails. Mutants of annotations and those
that mean the same for enums and ``None`` (``==`` for ``is``) are left out; of the replacements for
one operator or number, one is drawn.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import contextlib
import difflib
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from itertools import count
from pathlib import Path
from py_compile import PycInvalidationMode

import dify_plugin  # noqa: F401  replaces sockets and threads, so before all else
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parent.parent

READERS = ["answers", "body", "events", "framing", "notations", "reasoning", "streams"]
READERS += ["text", "tool_calls", "tool_text"]

FORMS = "test_credentials test_converters test_copies test_span test_targets test_yaml"
CHUNKS = "runtime/test_chunks runtime/test_events runtime/test_limits runtime/test_reasoning"
TESTS = {
    "xinfer/spec/conditions.py": f"test_conditions runtime/test_descriptions test_diff {FORMS}",
    "xinfer/spec/runtime.py": "runtime/test_declared_runtime runtime/test_declared_validation",
    "xinfer/spec/": f"{FORMS} test_json_schema rules/test_place",
    "xinfer/schema/": f"{FORMS} test_json_schema rules/test_place",
    "xinfer/yaml/": "test_yaml test_json_schema test_span",
    "xinfer/rules/python/": "rules/test_examples rules/test_python rules/test_python_bounds",
    "xinfer/rules/suppression.py": "rules/test_examples rules/test_suppression",
    "xinfer/rules/": "rules/test_examples rules/test_rules rules/test_plugin rules/test_place",
    "xinfer/runtime/openai/": f"{CHUNKS} runtime/test_streams runtime/test_tools"
    " runtime/test_dialects",
    "xinfer/runtime/xinference/": "runtime/test_descriptions runtime/test_versions",
}
"""The tests of a module are those of the first prefix that fits."""

MODULES = [
    *("xinfer/spec", "xinfer/schema", "xinfer/yaml", "xinfer/rules"),
    *(f"xinfer/runtime/openai/{name}.py" for name in READERS),
    "xinfer/runtime/openai/descriptions.py",
    "xinfer/runtime/xinference/descriptions.py",
]

LEFT_OUT = re.compile(r"NoOp|Variable|_(Eq_Is|NotEq_IsNot|Is_Eq|IsNot_NotEq)$")
SECONDS = 180
_WORDS = {0: "survived"} | dict.fromkeys((1, 2, 4, None), "killed")
"""By pytest's status: failed, interrupted by an error, or not even begun; none after too long."""


def annotations(source):
    """Return the extents of the annotations and type aliases of a module."""
    extents = []
    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        parts += [node.value] if isinstance(node, ast.TypeAlias) else []
        extents += [
            ((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset))
            for part in parts
            if isinstance(part, ast.AST)
        ]
    return extents


def mutants(path, chance):
    """Draw a mutant for each place of a module: its operator, and which occurrence of it."""
    source = path.read_text("utf-8")
    typing = annotations(source)
    operators = [(name, get_operator(name)) for name in operator_names()]
    makers = [
        (n, o(), count()) for n, o in operators if not LEFT_OUT.search(n) and not o.arguments()
    ]
    places = defaultdict(list)
    for node in ast_nodes(get_ast(source)):
        for name, operator, occurrences in makers:
            for start, end in operator.mutation_positions(node):
                occurrence = next(occurrences)
                if not any(begin <= start < stop for begin, stop in typing):
                    places[name.partition("_")[0], start, end].append((name, occurrence))
    return [(path, *chance.choice(changes)) for changes in places.values()]


def tests_of(module):
    """Return the arguments of pytest for a module's own tests."""
    names = next(names for prefix, names in TESTS.items() if module.startswith(prefix)).split()
    own = re.findall(r'^    "(XI\d{3})",$', Path(module).read_text("utf-8"), re.MULTILINE)
    if own and module.startswith("xinfer/rules/"):
        examples = ["-k", f"{' or '.join(own)} or not test_examples"]
        return [*(f"tests/{name}.py" for name in names), *examples]
    return [f"tests/{name}.py" for name in names]


def run(arguments, seconds=SECONDS, out=None):
    """Run pytest in a process of its own; return its status, or ``None`` after too long."""
    child = os.fork()
    if not child:
        os.setsid()
        out = os.open(os.devnull, os.O_WRONLY) if out is None else out
        os.dup2(out, 1)
        os.dup2(out, 2)
        signal.alarm(seconds)
        os._exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *arguments]))
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None


def copy(folder):
    """Copy what is tested, compiled so that a mutant is never taken for what was compiled."""
    shutil.copytree(
        ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
    )
    checked = PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder / "xinfer", quiet=1, invalidation_mode=checked)
    os.chdir(folder)
    sys.path[0] = str(folder)  # instead of the tests of what is not mutated
    os.environ |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True


def outcome(path, operator, occurrence):
    """Try a mutant; return whether it is killed or survives, and the lines that it changes."""
    source = path.read_text("utf-8")
    mutated = mutate_code(source, get_operator(operator)(), occurrence)
    difference = difflib.unified_diff(source.splitlines(), mutated.splitlines(), lineterm="", n=0)
    header, *lines = list(difference)[2:]
    path.write_text(mutated, "utf-8")
    try:
        compile(mutated, str(path), "exec")
        status = run(tests_of(str(path)))
    except SyntaxError:
        return "invalid", ""
    finally:
        path.write_text(source, "utf-8")
    line = header.split()[1].partition(",")[0].lstrip("-")
    text = "\n".join([f"{path}:{line} {operator.removeprefix('core/')}", *lines])
    return _WORDS.get(status, f"pytest {status}"), text


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", default=MODULES, help="files or folders")
    parser.add_argument("--sample", type=int, default=400, help="how many mutants; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        copy(Path(folder) / "xinfer")
        files = [
            file
            for module in map(Path, options.modules)
            for file in ([module] if module.suffix else sorted(module.rglob("*.py")))
        ]
        drawn = [mutant for file in files for mutant in mutants(file, chance)]
        chance.shuffle(drawn)
        print(f"{len(drawn)} mutants of {len(files)} modules", flush=True)
        drawn = drawn[: options.sample or None]
        arguments = {name for path, *_ in drawn for name in tests_of(str(path)) if "/" in name}
        if run(sorted(arguments), seconds=20 * SECONDS, out=sys.stdout.fileno()):
            raise SystemExit("The tests fail without any mutant.")
        until = time.monotonic() + options.minutes * 60
        words = Counter()
        for mutant in drawn:
            if time.monotonic() > until:
                print(f"Stopped after {options.minutes:g} minutes.")
                break
            word, text = outcome(*mutant)
            words[word] += 1
            if word not in {"killed", "invalid"}:
                print(f"\n{word}: {text}", flush=True)
        print(f"\n{', '.join(f'{number} {word}' for word, number in sorted(words.items()))}")


if __name__ == "__main__":
    main()
