"""Fields of a plugin's forms become attributes of the credentials class."""

import pytest
from importer.small import built_data, data_of, imported

from xinfer.importer import write_spec


@pytest.mark.parametrize(
    ("variable", "attribute"),
    [
        ("select", "select_"),
        ("str", "str_"),
        ("secret_input", "secret_input_"),
        ("to_form", "to_form_"),
        ("__class__", "class_"),
        ("id", "id"),
        ("2nd", "field_2nd"),
        ("密钥", "field"),
        ("", "field"),
        ("API Key", "api_key"),
    ],
)
def test_a_field_of_any_name_is_an_attribute(plugin, tmp_path, variable, attribute):
    """Also of a name that the class, or the lines below it, need for themselves."""
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace(
        "variable: api-key\n", f"variable: '{variable}'\n", 1
    )
    provider.write_text(text.replace("variable: from_form", "variable: secret"), "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert f"    {attribute}: Secret = secret_input(" in spec.read_text("utf-8")
    assert built_data(spec) == data_of(plugin)


PER_TYPE = """\
    - variable: size
      label: {{en_US: Size}}
      type: text-input
      required: true
      show_on: [{{variable: __model_type, value: {kind}}}]
"""


def test_a_field_that_returns_per_model_type_is_one_field(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8")
    llm, rerank = (PER_TYPE.format(kind=kind) for kind in ("llm", "rerank"))
    forms = "  credential_form_schemas:\n"
    provider.write_text(text.replace(forms, forms + llm + "    # too\n" + rerank), "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    written = spec.read_text("utf-8")
    assert 'show_on={"__model_type": ("llm", "rerank")}' in written
    assert "    # too\n    size: str = text_input(" in written
    assert "size_" not in written
    assert built_data(spec) == data_of(plugin)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Size", "Size of a batch"),  # Dify shows the label of the first one
        ("required: true", "required: false"),
        ("__model_type", "class"),
        ("value: rerank}", "value: llm}"),
    ],
)
def test_fields_that_differ_otherwise_stay_fields_of_their_own(plugin, tmp_path, old, new):
    provider = plugin / "provider/acme.yaml"
    llm, rerank = (PER_TYPE.format(kind=kind) for kind in ("llm", "rerank"))
    forms = "  credential_form_schemas:\n"
    text = provider.read_text("utf-8").replace(forms, forms + llm + rerank.replace(old, new))
    provider.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    kind = "llm" if "llm" in new else "rerank"
    assert f"\n    size_{kind}: str" in spec.read_text("utf-8")
    assert built_data(spec) == data_of(plugin)


NUMBER = """\
    - variable: size
      label: {{en_US: Size}}
      type: text-input
      required: false
      {default}
"""


@pytest.mark.parametrize(
    ("code", "default", "written"),
    [
        ("int(credentials.get('size', 1))", "default: '4096'", "size: int = text_input("),
        ("int(credentials['size'])", "", "size: int | None = text_input("),
        ("int(self.credentials.get('size') or 1)", "default: '1'", "size: int = text_input("),
        ("float(credentials['size'])", "default: '0.5'", "size: float = text_input("),
        ("float(credentials['size'])", "default: '10'", "size: float = text_input("),
        ("int(credentials['size'])\nfloat(credentials['size'])", "", "size: float | None ="),
        ("if credentials.get('size'): int(credentials['size'])", "", "size: int | None ="),
        ("credentials.get('size') is not None and int(credentials['size'])", "", "size: int |"),
        # A default or a use that is no number, or none at all.
        ("int(credentials['size'])", "default: '4096 '", "size: str = text_input("),
        ("int(credentials['size'])", "default: '1.0'", "size: str = text_input("),
        ("float(credentials['size'])", "default: '1.0'", "size: str = text_input("),
        ("int(credentials['size'])", "default: auto", "size: str = text_input("),
        ("int(credentials['size'])\nprint(credentials['size'])", "", "size: str | None ="),
        ("int(parameters['size'])", "default: '4096'", "size: str = text_input("),
        ("pass", "default: '4096'", "size: str = text_input("),
        ("'int(credentials[size])'", "default: '4096'", "size: str = text_input("),
        ("from dify_plugin import OAICompatLargeLanguageModel", "", "size: str | None ="),
        ("def broken(:", "default: '1'", "size: str = text_input("),
    ],
)
def test_a_number_is_typed_where_its_default_and_every_use_say_so(
    plugin, tmp_path, code, default, written
):
    (plugin / "models/llm/llm.py").write_text(code, "utf-8")
    provider = plugin / "provider/acme.yaml"
    forms = "  credential_form_schemas:\n"
    text = provider.read_text("utf-8").replace(forms, forms + NUMBER.format(default=default))
    provider.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert f"    {written}" in spec.read_text("utf-8")
    assert built_data(spec) == data_of(plugin)
