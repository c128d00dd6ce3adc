"""``xinfer import --declare-runtime``: what a plugin's Python does to parameters is declared."""

import pytest
from importer.openai_compatible import FILES, LLM, SET_URL
from importer.small import SMALL, imported, write_files

from xinfer.build.load import load_spec
from xinfer.importer import with_runtime, write_spec
from xinfer.spec import Add, Drop, Map, Rename


@pytest.fixture
def plugin(tmp_path):
    return write_files(tmp_path / "acme", FILES)


THINKING = SMALL["models/llm/first.yaml"].replace(
    "parameter_rules:\n",
    """parameter_rules:
  - {name: enable_thinking, type: boolean, label: {en_US: Thinking}}
  - {name: effort, type: string, label: {en_US: Effort}, options: [low, high]}
  - {name: top_k, type: int, label: {en_US: Top K}}
""",
    1,
)
POP = 'enable_thinking = model_parameters.pop("enable_thinking", None)'
SWITCHED = Map(
    "enable_thinking",
    {True: {"thinking": {"type": "enabled"}}, False: {"thinking": {"type": "disabled"}}},
)
AS_IT_IS = Rename("enable_thinking", "enable_thinking")


@pytest.mark.parametrize(
    ("lines", "sends"),
    [
        ([], (AS_IT_IS,)),  # the SDK sends it; a dialect would spell it
        (
            [
                'if "enable_thinking" in model_parameters:',
                '    on = model_parameters.pop("enable_thinking")',
                '    model_parameters["thinking"] = {"type": "enabled" if on else "disabled"}',
            ],
            (SWITCHED,),
        ),
        (
            [
                POP,
                "if enable_thinking is not None:",
                "    if enable_thinking:",
                '        model_parameters["thinking"] = {"type": "enabled"}',
                "    else:",
                '        model_parameters["thinking"] = {"type": "disabled"}',
            ],
            (SWITCHED,),
        ),
        (
            [
                POP,
                "if enable_thinking is not None:",
                '    key = "thinking" if model.startswith("fir") else "enable_thinking"',
                '    model_parameters["chat_template_kwargs"] = {key: bool(enable_thinking)}',
            ],
            (
                Map(
                    "enable_thinking",
                    {on: {"chat_template_kwargs": {"thinking": on}} for on in (True, False)},
                    models=("first",),
                ),
                Map(
                    "enable_thinking",
                    {on: {"chat_template_kwargs": {"enable_thinking": on}} for on in (True, False)},
                ),
            ),
        ),
        (
            ['model_parameters["search"] = {"mode": "auto"}'],
            (Add({"search": {"mode": "auto"}}), AS_IT_IS),
        ),
        (
            [
                'effort = model_parameters.pop("effort", "low")',
                'model_parameters["reasoning"] = {"effort": effort}',
            ],
            (
                Add({"reasoning": {"effort": "low"}}),
                Map("effort", {"low": {}, "high": {"reasoning": {"effort": "high"}}}),
                AS_IT_IS,
            ),
        ),
        (
            [
                'if "top_k" in model_parameters:',
                '    model_parameters["options"] = {"k": model_parameters.pop("top_k")}',
            ],
            (AS_IT_IS, Rename("top_k", "options.k")),
        ),
        (['model_parameters.pop("top_k", None)'], (AS_IT_IS, Drop("top_k"))),
    ],
)
def test_what_happens_to_parameters_is_declared(plugin, tmp_path, lines, sends):
    llm = LLM.replace("{set_url}", SET_URL)
    written = "".join(f"        {line}\n" for line in lines)
    (plugin / "models/llm/llm.py").write_text(
        llm.replace("        return super()._invoke", f"{written}        return super()._invoke")
    )
    (plugin / "models/llm/first.yaml").write_text(THINKING, "utf-8")
    read = with_runtime(imported(plugin))
    assert read.runtime.not_carried == ()
    assert sorted(map(repr, read.runtime.sends)) == sorted(map(repr, sends))
    assert load_spec(write_spec(read, tmp_path / "out")).project.runtime.sends == read.runtime.sends


@pytest.mark.parametrize(
    "lines",
    [
        ['if model_parameters.get("top_k") > 3: model_parameters["x"] = 1'],
        ['model_parameters["x"] = compute(model_parameters.pop("top_k", 1))'],
        ["for key in list(model_parameters): model_parameters.pop(key)"],
        [
            'if model_parameters.pop("enable_thinking", None):',
            '    model_parameters["effort"] = model_parameters.pop("effort", "low")',
            "else:",
            '    model_parameters.pop("effort", None)',
        ],
        ['if model == "first": model_parameters["x"] = 1'],
    ],
)
def test_what_happens_to_parameters_is_left_where_it_is_not_clear(plugin, lines):
    llm = LLM.replace("{set_url}", SET_URL)
    written = "".join(f"        {line}\n" for line in lines)
    (plugin / "models/llm/llm.py").write_text(
        llm.replace("        return super()._invoke", f"{written}        return super()._invoke")
    )
    (plugin / "models/llm/first.yaml").write_text(THINKING, "utf-8")
    runtime = with_runtime(imported(plugin)).runtime
    assert runtime.sends == ()
    assert [
        line for line in runtime.not_carried if "model_parameters" in line or "model ==" in line
    ]
