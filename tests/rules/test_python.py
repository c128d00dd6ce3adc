"""Each rule of a plugin's Python is broken once; what is right beside it has no findings."""

import importlib
import inspect
import json
import shutil
from importlib.metadata import version
from pathlib import Path

import dify_plugin
import pytest
from click.testing import CliRunner
from code_plugin import COMMON, LLM, MAIN, PROVIDER, SOURCES, project, under, written
from code_right import RIGHT
from dify_plugin.entities import model as entities
from dify_plugin.interfaces.model.ai_model import AIModel
from dify_plugin.interfaces.model.openai_compatible.common import _CommonOaiApiCompat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version
from representatives import examples
from rules.checking import check_project, plugin_with
from rules.plugins import lay
from sdk import Oracle

from xinfer.build.emit import emit
from xinfer.build.preparation import prepare
from xinfer.cli import main
from xinfer.plugin.archive import pack
from xinfer.plugin.read import read_plugin
from xinfer.plugin.texts import texts_of
from xinfer.plugin.writer import write_tree
from xinfer.rules import RULES, Severity, check
from xinfer.rules.examples import SPEC
from xinfer.rules.python.sdk import CALLS, CLASSES, PROVIDER_CALLS, RESULTS
from xinfer.rules.python.sdk_names import NAMES, NEWEST, TOP_LEVEL
from xinfer.spec.declaration import evolve

OF_CODE = [rule for rule in RULES.values() if rule.code.startswith("XI6")]
ROOT = Path(__file__).parents[2]


def findings(plugin):
    """Find what is wrong with a plugin of these sources, or of this project and these sources."""
    declared, sources = plugin if isinstance(plugin, tuple) else (project(), plugin)
    contents = {path: text.encode(errors="surrogatepass") for path, text in sources.items()}
    return [
        finding for finding in check_project(declared, contents) if finding.code.startswith("XI6")
    ]


def codes(plugin):
    return {finding.code for finding in findings(plugin)}


def test_the_plugin_that_is_made_wrong_here_is_right():
    assert findings(SOURCES) == []


def test_a_package_is_imported_before_its_modules():
    sources = {
        **SOURCES,
        MAIN: "import client.http\n" + SOURCES[MAIN],
        "client/__init__.py": "import dify_plugin\n",
        "client/http.py": "import requests\n",
    }
    assert "XI606" not in codes(sources)
    sources["client/__init__.py"] = ""
    assert "XI606" in codes(sources)


def test_every_rule_of_code_has_a_source_and_examples():
    assert [r.code for r in OF_CODE if not (r.source and r.bad and r.good)] == []


@pytest.mark.parametrize(
    ("code", "index"), [(code, index) for code in RIGHT for index in range(len(RIGHT[code]))]
)
def test_what_is_right_is_not_found(code, index):
    assert code not in codes(RIGHT[code][index])


def test_our_own_code_has_no_findings():
    for spec in ("provider_spec.py", "examples/tariff/provider_spec.py"):
        prepared = prepare(ROOT / spec)
        assert check(prepared.plugin) == ()
        # The part of xinfer that is carried along is left out of the texts as a rule; not here.
        object.__setattr__(
            prepared.plugin,
            "sources",
            {path: b.decode() for path, b in prepared.tree.items() if path.endswith(".py")},
        )
        assert check(prepared.plugin) == ()


def test_code_that_is_not_known_is_not_judged():
    unseen = plugin_with(project(), _bytes(SOURCES))
    sources = {path: text for path, text in SOURCES.items() if path != COMMON}
    object.__setattr__(unseen, "sources", sources)
    assert not [finding for finding in check(unseen) if finding.code.startswith("XI6")]


def test_text_that_is_no_python_in_its_encoding_is_found():
    latin = "# -*- coding: latin-1 -*-\nNAME = 'Zürich'\n" + SOURCES[COMMON]
    marked = {**_bytes(SOURCES), COMMON: latin.encode("latin-1")}
    assert codes(texts_of(marked)) == set()
    unmarked = {**_bytes(SOURCES), COMMON: latin.split("\n", 1)[1].encode("latin-1")}
    (finding,) = (f for f in findings(texts_of(unmarked)) if f.code == "XI601")
    assert (finding.message, finding.span.line) == (
        "models/common.py is not Python 3.12: the file is not UTF-8",
        1,
    )
    with_bom = {**_bytes(SOURCES), COMMON: SOURCES[COMMON].encode("utf-8-sig")}
    assert codes(texts_of(with_bom)) == set()


def _bytes(sources):
    return {path: text.encode() for path, text in sources.items()}


DEEP = [
    "class A0: pass\n" + "".join(f"class A{n + 1}(A{n}): pass\n" for n in range(900)),
    "a0 = 1\n" + "".join(f"a{n + 1} = a{n}\n" for n in range(900)) + "print(a900)",
    "class A(B, C): pass\nclass B(A, C): pass\nclass C(A, B): pass",
    "(" * 5000,
    "-" * 20_000 + "1",
    "1+" * 20_000 + "1",
    "a" + ".b" * 900,
    "f" + "()" * 900,
    "if 1: pass\n" + "elif 1: pass\n" * 900,
    "x = " + "1 if a else " * 900 + "2",
    "def f():\n    return " + "self.a(1) if b else " * 900 + "2",
    "class A(" + "A," * 5000 + "A): pass",
    "class A(B): pass\nclass B(A): pass\nclass C(A, B, A): pass",
    "from models.llm.llm import *\nfrom models.llm.llm import x\nx = x.y\ny = x\nx = y",
    "a = b\nb = a\nclass C(a): pass",
    "x = 'a' " * 3_000,
    "x = 1\n" * 6_000,
    "x\0y",
    "\ud800",
    "\ufeff\ufeff",
    "return",
    "yield 1",
    "from ....... import x",
    "from . import *",
    "import a.b.c as d, e.f",
    "def _invoke(*, self=1): ...",
    "lambda: (yield)",
    "class A[T](B[T]): type X = A",
    "async def f():\n    async with a: return [b async for b in c]",
    "try: pass\nexcept* E: pass",
    "match x:\n    case {**a}: pass\n    case [*b]: pass\n    case _: pass",
    "global x\nx: int",
    "print(*a, **b)",
]


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
@pytest.mark.parametrize("path", [PROVIDER, LLM])
def test_no_structure_whatever_makes_a_rule_fail(path, text):
    findings(written(path, text))
    findings(under(path, "\n" + text))


@st.composite
def shuffled(draw):
    """Draw Python that is right in parts: lines of the plugin, left out, exchanged, repeated."""
    path = draw(st.sampled_from(sorted(SOURCES)))
    lines = SOURCES[path].splitlines()
    others = [line for text in SOURCES.values() for line in text.splitlines()]
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["drop", "double", "exchange", "pass"]))
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        if how == "drop" and len(lines) > 1:
            del lines[at]
        elif how == "double":
            lines.insert(at, lines[at])
        elif how == "exchange":
            lines[at] = indent + draw(st.sampled_from(others)).strip()
        else:
            lines[at] = f"{indent}pass"
    return path, "\n".join(lines)


@given(change=shuffled())
@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_change_to_code_makes_a_rule_fail(change):
    findings(written(*change))


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_bytes_whatever_make_a_rule_fail(content):
    for path in (MAIN, LLM):
        findings(texts_of({**_bytes(SOURCES), path: content}))


def test_findings_in_a_folder_and_a_package_point_into_their_files(tmp_path):
    declared = evolve(project(), files="plugin")
    carried = {path: text.encode() for path, text in SOURCES.items()}
    carried[LLM] = carried[LLM].replace(
        b"AssistantPromptMessage(content=line.decode())", b"print(1)"
    )
    tree = emit(declared, modules={}, carried=carried, runtime={})
    folder = tmp_path / "acme"
    write_tree(tree, folder)
    package = tmp_path / "acme.difypkg"
    package.write_bytes(pack(tree.items()))
    line = carried[LLM].decode().split("print(1)")[0].count("\n") + 1
    for path, file in ((folder, str(folder / LLM)), (package, LLM)):
        (finding,) = (
            finding for finding in check(read_plugin(path)) if finding.code.startswith("XI6")
        )
        assert (finding.code, finding.span.file, finding.span.line) == ("XI651", file, line)


def test_a_finding_in_a_carried_file_points_to_where_it_was_carried_from(tmp_path):
    shutil.copytree(ROOT / "examples/own-python", tmp_path / "own")
    wrong = tmp_path / "own/plugin/quirk.py"
    wrong.write_text(wrong.read_text("utf-8") + "\n\nprint('loaded')\n", "utf-8")
    ran = CliRunner().invoke(
        main, ["check", str(tmp_path / "own/provider_spec.py"), "--format", "json"]
    )
    (finding,) = json.loads(ran.output)
    assert (finding["code"], finding["file"]) == ("XI651", str(wrong))


# What the rules take from the SDK is what the SDK has.


def test_the_table_of_classes_is_the_sdks():
    classes = {**vars(dify_plugin), "AIModel": AIModel, "_CommonOaiApiCompat": _CommonOaiApiCompat}
    for name, row in CLASSES.items():
        there = classes[name]
        assert {base.__name__ for base in there.__bases__} - {"ABC", "object"} == set(row.bases)
        own = {
            part for part in vars(there) if getattr(vars(there)[part], "__isabstractmethod__", 0)
        }
        assert own == row.abstract
        asked = {part for other in CLASSES.values() for part in other.abstract}
        assert asked & set(vars(there)) - own == row.brings
        describes = "get_customizable_model_schema" in vars(there) and name != "AIModel"
        assert describes == row.describes_custom_models
        if row.serves:
            assert there.model_type.value == row.serves


def test_the_table_of_calls_is_the_sdks():
    roots = {row.serves: name for name, row in CLASSES.items() if row.serves}
    tables = [(roots[kind], calls) for kind, calls in CALLS.items()]
    for name, calls in [*tables, ("ModelProvider", PROVIDER_CALLS)]:
        for method, call in calls.items():
            signature = inspect.signature(getattr(getattr(dify_plugin, name), method))
            taken = [part for part in signature.parameters if part != "self"]
            assert len(taken) == (call.by_place or len(call.by_name)), (name, method)
            assert set(call.by_name) <= set(taken)


def test_the_table_of_results_is_the_sdks():
    rooms = (entities.llm, entities.rerank, entities.text_embedding)
    for name, required in RESULTS.items():
        (kind,) = {getattr(room, name) for room in rooms if hasattr(room, name)}
        assert {key for key, field in kind.model_fields.items() if field.is_required()} == required


def test_the_table_of_names_is_the_sdks():
    if Version(version("dify_plugin")) <= NEWEST:
        for name, listed in NAMES.items():
            there = {part for part in vars(importlib.import_module(name)) if part[0] != "_"}
            assert there - TOP_LEVEL <= listed | {m.rpartition(".")[2] for m in NAMES}, name


# What is refused, the SDK refuses; what is not, it loads.


@pytest.fixture(scope="module")
def oracle():
    with Oracle.start() as started:
        yield started


def loadable(rule, example):
    """Tell whether the SDK can load a plugin here: without its main.py, torch and the internet."""
    beside = {"XI605", "XI606", "XI607", "XI608", "XI653", "XI671"}
    return rule.code not in beside and not (isinstance(example, dict) and SPEC in example)


EXAMPLES = [(r, e) for r in OF_CODE for e in (*r.bad, *r.good) if loadable(r, e)]
IDS = [f"{rule.code}-{number}" for number, (rule, _) in enumerate(EXAMPLES)]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=IDS)
def test_refused_is_what_the_sdk_refuses(rule, example, oracle, tmp_path):
    path, _, _ = lay(rule, example, tmp_path)
    refused = [
        finding.message
        for finding in check(read_plugin(path))
        if finding.severity is Severity.REFUSED
    ]
    error = oracle.load(path).get("error")
    assert bool(error) == bool(refused), f"{error} {refused}"


@pytest.mark.parametrize(
    ("code", "index"),
    [(code, n) for code in RIGHT if code < "XI62" for n in range(len(RIGHT[code]))],
)
def test_what_is_right_is_loaded_but_for_what_is_not_here(code, index, oracle, tmp_path):
    example = RIGHT[code][index]
    declared, sources = example if isinstance(example, tuple) else (project(), example)
    carried = {path: text.encode() for path, text in sources.items()}
    write_tree(emit(declared, modules={}, carried=carried, runtime={}), tmp_path / "plugin")
    (tmp_path / "plugin/_assets").mkdir(exist_ok=True)
    refused = [finding for finding in findings(example) if finding.severity is Severity.REFUSED]
    error = oracle.load(tmp_path / "plugin").get("error") or ""
    elsewhere = "No module named" in error or "example.com" in error
    elsewhere |= declared.requirements != project().requirements  # another SDK
    assert bool(error) == bool(refused) or elsewhere, error
