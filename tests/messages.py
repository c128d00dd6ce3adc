"""Every message that users can meet, with an example filled in: to be read from time to time.

    uv run python tests/messages.py [rules] [calls] [errors]

``rules``: what the rules say of their bad examples, with the fix in both forms. ``calls``: what the
runtime says of calls that fail, in English and in Chinese. ``errors``: what the errors of all
modules say, the options' help included, read from the source; a name in braces is filled in with an
example.
"""

import ast
import re
import sys
import tempfile
from pathlib import Path

import requests
from attrs import evolve
from rules.plugins import lay

from xinfer.cli.check import report_of
from xinfer.plugin.plugin import Form
from xinfer.rules import RULES
from xinfer.runtime.openai import failures
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.failures import Failure
from xinfer.runtime.xinference import fixes

SOURCE = Path(__file__).parent.parent / "xinfer"
URL = "http://192.168.1.100:9997/v1/chat/completions"

FILLED = {
    "path": "provider/acme.yaml",
    "file": "provider/acme.yaml",
    "folder": "dist/acme",
    "name": "acme",
    "label": "Xinference",
    "url": "http://192.168.1.100:9997",
    "model": "qwen3",
    "status": "500",
    "version": "0.1.0",
    "code": "XI101",
    "line": "7",
    "port": "8765",
}
"""What stands for a name in braces; a number for those that count, else the name itself."""


def of_rules(examples=None):
    """Yield what each bad example is told: its message, then the fix in Python and in YAML."""
    for rule in RULES.values():
        for example in rule.bad[:examples]:
            with tempfile.TemporaryDirectory() as folder:
                path, before, _ = lay(rule, example, Path(folder))
                root = f"{(path if path.is_dir() else path.parent).resolve()}/"
                for finding in report_of(path, before).findings:
                    text = f"{finding.message}. {finding.fix}"
                    yield rule.code, text.replace(root, "").replace(f"{folder}/", "")
        for fix in dict.fromkeys((rule.fix(Form.SPEC), rule.fix(Form.YAML))):
            yield rule.code, fix
        yield rule.code, f"{rule.summary} {rule.why}"


def of_calls():
    """Yield what a failed call says, in English and in Chinese."""
    response = requests.Response()
    for case in fixes.CASES:
        any_case = evolve(case, words="", kinds=(), statuses=())
        response.status_code = next(iter(case.statuses), 500)
        call = Call(label="Xinference", url=URL, model="qwen3", cases=(any_case,))
        error = call.refused(response, b'{"detail": "CUDA error"}')
        yield type(error).__name__, error.english
        yield type(error).__name__, error.chinese
    call = Call(label="Xinference", url=URL, model="qwen3")
    for name, failure in vars(failures).items():
        if isinstance(failure, Failure):
            error = call.failed(failure, location=URL, url=FILLED["url"])
            yield name, error.english
            yield name, error.chinese


def of_errors():
    """Yield the texts of the errors that the source raises, and of the command line's help."""
    for file in sorted(SOURCE.rglob("*.py")):
        if file.name in {"fixes.py", "failures.py"}:
            continue  # in calls
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                texts = node.exc.args
            elif isinstance(node, ast.Call) and _is_text(node.func):
                texts = node.args
            elif isinstance(node, ast.keyword) and node.arg == "help":
                texts = [node.value]
            else:
                continue
            for text in texts:
                if words := _filled(text):
                    yield f"{file.relative_to(SOURCE)}:{text.lineno}", words


def _is_text(node):
    return isinstance(node, ast.Name) and node.id in {"Invalid", "Text", "UnusableInput"}


def _filled(node):
    """Write a text or an f-string; nothing for what is neither, nor for a single word."""
    if isinstance(node, ast.Constant):
        is_sentence = isinstance(node.value, str) and (
            " " in node.value or not node.value.isascii()
        )
        return _in_braces(node.value) if is_sentence else ""
    if isinstance(node, ast.BinOp):
        return _filled(node.left) + _filled(node.right)
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = [
        part.value if isinstance(part, ast.Constant) else _example(part) for part in node.values
    ]
    return _in_braces("".join(parts))


def _in_braces(text):
    return re.sub(r"{(\w+)}", lambda place: FILLED.get(place[1], place[1]), text)


def _example(part):
    source = ast.unparse(part.value)
    if re.search(r"\blen\(|count|number|size|seconds", source):
        return "3"
    name = re.findall(r"[A-Za-z_]\w*", source)[-1].strip("_").lower()
    text = FILLED.get(name, name.replace("_", " "))
    return repr(text) if part.conversion == ord("r") else text


PARTS = {"rules": of_rules, "calls": of_calls, "errors": of_errors}


def main():
    lines = {}
    for part in sys.argv[1:] or PARTS:
        for place, text in PARTS[part]():
            lines.setdefault(f"{place}  {text}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
