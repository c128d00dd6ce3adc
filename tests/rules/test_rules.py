"""Every rule is broken once, and found at the line that broke it; what is right has no findings."""

import inspect
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from representatives import examples
from rules.checking import check_project

import provider_spec
from xinfer.build.preparation import prepare
from xinfer.plugin.globs import Glob
from xinfer.plugin.plugin import Form
from xinfer.plugin.texts import texts_of
from xinfer.rules import RULES, Severity
from xinfer.spec import (
    Credentials,
    CustomizableModel,
    FormField,
    FormType,
    I18n,
    Model,
    ModelProperties,
    ModelType,
    OpenAICompatible,
    Option,
    ParameterRule,
    ParameterType,
    Pricing,
    ability,
    base_url,
    limit,
    text_input,
)
from xinfer.spec import model as model_name
from xinfer.spec.declaration import evolve
from xinfer.spec.project import complete
from xinfer.testing import projects
from xinfer.testing.strategies.projects import ICON

ROOT = Path(__file__).parents[2]
PREPARED = prepare(ROOT / "provider_spec.py")
PROJECT = complete(provider_spec.project)
FILES = {path: len(content) for path, content in PREPARED.tree.items()}


def check(project, files=FILES, sources=None, form=Form.SPEC):
    """Check a project with files of these sizes, some of which hold these texts."""
    contents = {path: PREPARED.tree.get(path) or bytes(size) for path, size in files.items()}
    texts = {path: text.encode() for path, text in (sources or {}).items()}
    return check_project(project, {**contents, **texts}, form)


def plugin(**changes):
    return evolve(PROJECT, manifest=evolve(PROJECT.manifest, **changes))


def provider(**changes):
    return evolve(PROJECT, provider=evolve(PROJECT.provider, **changes))


def form(*fields):
    schema = evolve(PROJECT.provider.model_credential_schema, credential_form_schemas=fields)
    return provider(model_credential_schema=schema)


def field(variable="v", type=FormType.TEXT_INPUT, **values):
    values = {"required": False, "label": I18n("V"), **values}
    return FormField(variable=variable, type=type, **values)


def choice(*values, **changes):
    options = tuple(Option(value, I18n("O")) for value in values)
    return field(type=FormType.SELECT, options=options, **changes)


def model(name="m", **values):
    values = {
        "model_type": ModelType.LLM,
        "model_properties": ModelProperties(mode="chat", context_size=4096),
        **values,
    }
    return Model(model=name, **values)


def models(*declared):
    return evolve(PROJECT, models=declared)


PRICE = Pricing(input=Decimal(1), unit=Decimal("0.001"), currency="USD")


def custom(**values):
    return evolve(PROJECT, customizable_models=(CustomizableModel(**values),))


def texts(sources, **changes):
    return evolve(PROJECT, **changes), FILES, sources


class Unreachable(Credentials):
    model_uid: str = text_input(label=I18n("Model uid"))


class Misnamed(Credentials):
    server_url: str = text_input(label=I18n("Server url"), sets=base_url)
    model_uid: str = text_input(label=I18n("Model uid"), sets=model_name)
    key: str = text_input(label=I18n("Key"))
    region: str = text_input(label=I18n("Region"))


RIGHT = [
    texts_of(PREPARED.tree),
    {"README.md": f"See {PROJECT.manifest.repo}.\n~~~\n模型\n~~~\n"},
    {"pyproject.toml": "[project]\nrequires-python = '>=3.12,<4'\n"},
    {"uv.lock": 'source = { registry = "https://packages.example.com/simple" }\n'},
]


@pytest.mark.parametrize("sources", RIGHT)
def test_texts_that_are_right_have_no_findings(sources):
    assert check(PROJECT, FILES, sources) == ()


@pytest.mark.parametrize("line", ["dify_plugin", "dify-plugin>=0.7", "dify_plugin<0.10"])
def test_a_requirement_that_allows_an_old_sdk_is_found(line):
    (finding,) = check(evolve(PROJECT, requirements=(line,)), FILES)
    assert (finding.code, finding.severity) == ("XI520", Severity.ADVICE)


def test_a_range_of_pythons_that_begins_too_early_is_found():
    wrong = {"pyproject.toml": "[project]\nname = 'x'\nrequires-python = '>=3.11'\n"}
    (finding,) = check(PROJECT, FILES, wrong)
    assert (finding.code, finding.span.line) == ("XI521", 3)
    assert check(PROJECT, {**FILES, "uv.lock": 1}, wrong) == ()


def test_a_field_is_idle_unless_it_sets_something_or_something_reads_it():
    declared = evolve(PROJECT, credentials=Misnamed, customizable_models=(provider_spec.RERANK,))

    def idle(sources, project=declared):
        findings = check(project, FILES, sources)
        return [finding.message for finding in findings if finding.code == "XI326"]

    key, region = "nothing reads key", "nothing reads region"
    assert idle({}) == [key, region]
    assert idle({"main.py": "def f(c):\n    return c.region\n"}) == [key]
    assert idle({"main.py": "# c.region, c.key\nNAMES = 'region key'\n"}) == [key, region]
    assert idle({}, evolve(declared, runtime=None)) == []


def test_the_base_url_is_set_by_a_field_by_the_runtime_or_by_nobody():
    def missing(**changes):
        findings = check(evolve(PROJECT, credentials=Unreachable, **changes), FILES)
        return [finding.message for finding in findings if finding.code == "XI325"]

    assert missing() == ["nothing sets the base URL of the server"]
    assert missing(runtime=OpenAICompatible(base_url="https://api.example.com/v1")) == []
    assert missing(runtime=None) == []


def test_no_pattern_takes_longer_than_its_length():
    """Tried out one way after the other, this one would take years."""
    pattern = Glob("llm", "at", "/".join(["**", "a"] * 20) + "/b.yaml")
    assert not list(pattern.matched(["a/" * 60 + "c.yaml"]))
    assert list(pattern.matched(["a/" * 60 + "b.yaml"]))


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a/*.yaml", "a/b.yaml", True),
        ("a/*.yaml", "a/b/c.yaml", False),
        ("**/c.yaml", "c.yaml", True),
        ("a/**/c.yaml", "a/c.yaml", True),
        ("a/**/b/**/c.yaml", "a/x/b/y/z/c.yaml", True),
        ("a/**/b/**/c.yaml", "a/x/y/z/c.yaml", False),
        ("a/**", "b/c.yaml", False),
        ("a/?.yaml", "a/_position.yaml", False),
        ("**/*.yaml", "a/_position.yaml", False),
    ],
)
def test_patterns_match_as_the_sdks_do(pattern, path, matches):
    assert bool(list(Glob("llm", "at", pattern).matched([path]))) == matches


def test_our_own_provider_has_no_findings():
    assert check(provider_spec.project, FILES) == ()


def test_every_rule_has_a_source_and_examples():
    for rule in RULES.values():
        assert all((rule.source, rule.bad, rule.good)), rule.code


def test_every_rule_says_what_is_wrong_and_how_to_mend_it():
    for rule in RULES.values():
        assert rule.summary.endswith((".", ";")) or rule.summary[-1].isalpha(), rule.code
        assert all(rule.fix(form).endswith(".") for form in Form), rule.code


def test_a_finding_points_to_the_line_that_made_the_object():
    line = inspect.currentframe().f_lineno + 1
    wrong = FormField(variable="w", type=FormType.TEXT_INPUT, label=I18n("W"), required=1)
    wrong = form(field(), wrong)
    (finding,) = check(wrong, FILES)
    assert (finding.code, finding.span.line) == ("XI001", line)
    assert finding.span.file == __file__
    assert finding.path.endswith("credential_form_schemas[1].required")


def test_a_mistake_in_both_forms_is_said_once():
    wrong = form(choice())
    twice = provider(
        provider_credential_schema=evolve(
            wrong.provider.provider_credential_schema,
            credential_form_schemas=wrong.provider.model_credential_schema.credential_form_schemas,
        ),
        model_credential_schema=wrong.provider.model_credential_schema,
    )
    assert [finding.code for finding in check(twice, FILES)] == ["XI304"]


def test_conditions_and_terms_are_right_on_customizable_models():
    rules = (
        ParameterRule(name="p", type=ParameterType.INT, max=limit("dimensions"), when=ability("a")),
        ParameterRule(name="p", type=ParameterType.FLOAT, when=~ability("a")),
    )
    assert not [
        f
        for f in check(custom(model_type=ModelType.LLM, parameter_rules=rules), FILES)
        if f.code.startswith("XI4")
    ]


_NOT_DRAWN = ("XI216", "XI224", "XI329")  # files that are not there; Dify's own switch, at times


@given(project=projects())
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_every_drawn_provider_is_right(project):
    findings = check(project, {**FILES, f"_assets/{ICON}": 1})
    wrong = [f for f in findings if f.severity is not Severity.ADVICE and f.code not in _NOT_DRAWN]
    assert wrong == []


ODD = st.sampled_from([None, 3, -1.5, "x", "", True, [], {}, (), ("a",), (1, 2), b"x", object()])


@given(data=st.data())
@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_value_whatever_makes_a_rule_fail(data):
    project = evolve(PROJECT, models=(model(), model("n", pricing=PRICE)))
    part = data.draw(st.sampled_from(["manifest", "provider", "models"]))
    target = getattr(project, part)
    target = target[0] if isinstance(target, tuple) and target else target
    if not hasattr(target, "explicit"):
        return
    name = data.draw(st.sampled_from(sorted(type(target).__slots__)))
    if name in ("origin", "explicit", "extra_keys", "__weakref__"):
        return
    object.__setattr__(target := evolve(target), name, data.draw(ODD))
    check(evolve(project, **{part: (target,) if part == "models" else target}), FILES)
