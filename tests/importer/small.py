"""A small plugin, hand-written as people do, and how plugins are imported and compared."""

import yaml

from xinfer.build.preparation import prepare
from xinfer.importer import import_plugin
from xinfer.plugin.read import read_plugin


def write_files(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def imported(folder):
    """Read a plugin and sort out what of it becomes Python."""
    return import_plugin(read_plugin(folder))


def data_of(folder):
    """Every YAML file of a plugin as data, by path."""
    return {
        path.relative_to(folder).as_posix(): yaml.safe_load(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.yaml"))
    }


def built_data(spec):
    return {
        path: yaml.safe_load(content)
        for path, content in prepare(spec).tree.items()
        if path.endswith(".yaml")
    }


SMALL = {
    "manifest.yaml": """\
version: 0.0.1
type: plugin
author: acme
name: acme
label: {en_US: Acme}
description: {en_US: "Models of Acme"}
icon: icon.svg
created_at: '2024-09-20T00:03:44.658609186Z'
resource: {memory: 268435456}
plugins: {models: [provider/acme.yaml]}
meta:
  version: 0.0.1
  arch: [amd64]
  runner: {language: python, version: "3.12", entrypoint: main}
""",
    "provider/acme.yaml": """\
provider: acme
label: {en_US: Acme}
supported_model_types: [llm]
configurate_methods: [predefined-model]
provider_credential_schema:
  credential_form_schemas:
    # Found in the console, under Keys.
    - variable: api-key
      label: {en_US: Key}
      type: secret-input
      required: true
    - variable: class
      label: {en_US: Class}
      type: select
      default: a
      options:
        - value: a
          label: {en_US: A}
        - value: b
          label: {en_US: B}
          show_on: [{variable: api-key, value: x}]
    - variable: from_form
      label: {en_US: "A long label, longer than a line of the spec can be, so that it is broken"}
      type: text-input
      required: false
      show_on:
        - {variable: class, value: a}
        - {variable: class, value: b}
models:
  llm: {predefined: ["models/llm/*.yaml"], position: models/llm/_position.yaml}
extra:
  python: {provider_source: provider/acme.py, model_sources: [models/llm/llm.py]}
author: someone
""",
    "models/llm/_position.yaml": "- second\n- first\n",
    "models/llm/first.yaml": """\
model: first
model_type: llm
features: [vision]
model_properties: {mode: chat, context_size: 1024}
parameter_rules:
  - name: temperature
    use_template: temperature
    default: 0.7
  - name: max_tokens
    use_template: max_tokens
    max: 1024
# the price of 2024
pricing: {input: '0.0010', output: 0.002, unit: '0.001', currency: USD}
deprecated: false
""",
    "models/llm/2nd.yaml": """\
model: second
model_type: llm
label: null
model_properties: {mode: chat, context_size: 2048}
parameter_rules:
  - {name: temperature, use_template: temperature, default: 0.7}
pricing: {input: 1, unit: '0.001', currency: USD}
""",
    "models/llm/llm.py": "# the plugin's own\n",
    "main.py": "print('hi')\n",
    "requirements.txt": "dify_plugin>=0.9\n",
    "_assets/icon.svg": "<svg/>",
}
