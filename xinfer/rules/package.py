"""Rules of a plugin as a whole: YAML that cannot be read, packages that cannot be unpacked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from xinfer.plugin.plugin import MANIFEST, Form, Plugin
from xinfer.plugin.read import listed, missing_keys
from xinfer.plugin.unwanted import secrets_in, tool_folder
from xinfer.rules.files import has_assets
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Link, Problem, fix_in_files, rule
from xinfer.rules.values import did_you_mean
from xinfer.spec.project import MODEL_FOLDERS, positions
from xinfer.spec.span import Span
from xinfer.yaml import Fault, read_document

SECRET_PACKED = "XI505"  # noqa: S105 (the code of a rule)
_SIGNATURE = ".verification.dify.json"
_NEEDED = frozenset({"provider/", "models/"}) | {
    f"models/{folder}/" for folder in MODEL_FOLDERS.values()
}


@rule(
    "XI011",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/plugin_registration.py; daemon pkg/utils/parser/yaml.go",
    bad=(
        {"models/llm/acme-1.yaml": "model: «4»\n", "models/llm/_position.yaml": "[]\n"},
        "model_type: «lmm»\n",
        {"provider/acme.yaml": "supported_model_types: «llm»\n"},
        {"manifest.yaml": "tags: [«utility»]\n"},
        {"manifest.yaml": "author: acme\n«author»: acme\n"},
    ),
    good=(
        {"models/llm/acme-1.yaml": "model: '4'\n", "models/llm/_position.yaml": "[]\n"},
        "model_type: llm\n",
    ),
    fix="Write what is expected there.",
)
def unreadable_value(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A file is not YAML, or holds a value that the daemon or the SDK does not read.

    One such file keeps the whole plugin from starting.
    """
    for fault in plugin.faults:
        if not _READ_AT_REQUESTS.match(fault.path) and not fault.message.endswith(_MISSING):
            yield _unread(fault)


@rule(
    "XI013",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/entities/plugin/setup.py, entities/model/provider.py",
    bad=(
        {"manifest.yaml": "resource: «{permission: {}}»\n"},
        {"provider/acme.yaml": "help: «{title: {en_US: Get a key}}»\n"},
    ),
    good=({"manifest.yaml": "resource: {memory: 268435456}\n"},),
    fix="Add it.",
)
def missing_key(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A key is missing that the daemon or the SDK requires."""
    for fault in plugin.faults:
        if fault.message.endswith(_MISSING) and not _HELP_OF_FIELD.search(fault.path):
            yield _unread(fault)
    if plugin.form is Form.YAML:
        for declared, name in missing_keys(plugin):
            yield Problem(f"{name} is missing", at=name, of=declared)


_FIELD_WITH_HELP = """\
provider_credential_schema:
  credential_form_schemas:
    - variable: api_key
      type: secret-input
      label: {{en_US: API key, zh_Hans: API Key}}
      required: true
      {}
"""


@rule(
    "XI015",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source="daemon pkg/entities/plugin_entities/basic_type.go: I18nObject; "
    "graphon model_runtime/entities/provider_entities.py: CredentialFormSchema",
    bad=(
        {"provider/acme.yaml": _FIELD_WITH_HELP.format("help: «{text: {en_US: Look there.}}»")},
        {"provider/acme.yaml": _FIELD_WITH_HELP.format("help: «{zh_Hans: 看那里。}»")},
    ),
    good=({"provider/acme.yaml": _FIELD_WITH_HELP.format("placeholder: {en_US: Look there.}")},),
    fix="Say it in the placeholder, or in the provider's help.",
)
def field_help_without_english(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """The help of a field has no English text of its own.

    Dify never shows the help of a field, and the SDK passes over it. The daemon reads it in remote
    debugging, where it refuses the plugin.
    """
    for fault in plugin.faults:
        if fault.message.endswith(_MISSING) and _HELP_OF_FIELD.search(fault.path):
            yield Problem("the help of a field has no en_US", at=fault.path, span=fault.span)


@rule(
    "XI012",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk entities/model/schema.py: model_properties is a dict of any values",
    bad=("model_properties:\n  context_size: «8k»\n", "model_properties:\n  mode: «talk»\n"),
    good=("model_properties:\n  context_size: 8192\n",),
    fix="Write what is expected there.",
)
def unusable_value(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A value is read as it is, and is not what the code that uses it can work with."""
    return (_unread(fault) for fault in plugin.faults if _READ_AT_REQUESTS.match(fault.path))


_MISSING = "missing"
_HELP_OF_FIELD = re.compile(r"credential_form_schemas\[\d+\]\.help\.en_US$")
_READ_AT_REQUESTS = re.compile(r"^model_properties\.|^parameter_rules\[\d+\]\.default$")
"""Values that the SDK does not look at before a request."""


def _unread(fault: Fault) -> Problem:
    message, fix = _message_and_fix(fault.message)
    return Problem(message, at=fault.path, span=fault.span, fix=fix)


_FIXES = ("put it", "remove", "did you mean", "indent it", "write ")


def _message_and_fix(message: str) -> tuple[str, str]:
    cause, colon, fix = message.rpartition(": ")
    if colon and fix.startswith(_FIXES):
        return cause, fix[0].upper() + fix[1:] + ("" if fix.endswith("?") else ".")
    if message.startswith("expected"):
        return message, "Write what is expected there."
    return message, "Add it." if message.endswith("missing") else "Correct it."


@rule(
    "XI014",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/entities/provider_configuration.py: the order of models",
    bad=({"models/llm/_position.yaml": "- acme-1\n- «acme-2»\n"},),
    good=({"models/llm/_position.yaml": "- acme-1\n"},),
    fix="Correct the name, or remove the line.",
)
def position_of_nothing(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A list of positions holds a name that no model has; the model meant comes last instead."""
    if plugin.provider is None or {fault.file for fault in plugin.faults} & {*plugin.model_paths}:
        return
    if not plugin.is_read(plugin.provider_file, "models"):
        return
    for path, models in positions(plugin.provider, plugin.models):
        if not models:
            continue  # no pattern matches a model, which other rules report
        names = [model.model for model in models]
        for index, name in enumerate(listed(plugin.files, path) or ()):
            if name not in names:
                extent = read_document(plugin.files[path], path).extents[(index,)]
                message = f"no model is called {name}{did_you_mean(name, names)}"
                yield Problem(message, at=name, span=Span(path, *extent))


@rule(
    "XI701",
    Severity.REFUSED,
    Stage.UPLOAD,
    source="daemon pkg/plugin_packager/decoder/zip.go: read _assets: is a directory",
    bad=({"models/": ""},),
    good=({"data/list.txt": ("x",)},),
    fix="Pack files alone, with xinfer or with dify plugin package.",
)
def folder_entries(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """The package has entries for folders, as `zip -r` makes them."""
    folders = [name for name in plugin.files.entries if name.endswith("/")]
    if folders:
        others = f", and {len(folders) - 1} more" if folders[1:] else ""
        yield Problem(f"the folder {folders[0]} has an entry of its own{others}")


@rule(
    "XI702",
    Severity.REFUSED,
    Stage.UPLOAD,
    source="daemon pkg/plugin_packager/decoder/helper.go: Manifest",
    bad=({"manifest.yaml": None},),
    good=({"data/manifest.yaml": "x: 1\n"},),
    fix="Pass, or pack, the folder that holds it.",
)
def manifest_not_on_top(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """There is no manifest.yaml at the root: no plugin, or one packed together with its folder."""
    if not plugin.lacks(MANIFEST):
        return
    left_out = [gone.reason for gone in plugin.files.left_out if gone.path == MANIFEST]
    below = [path for path in plugin.files if path.endswith((f"/{MANIFEST}", "manifest.yml"))]
    if left_out:
        yield Problem(f"{MANIFEST} is left out by {left_out[0]}", fix="Remove that line.")
    else:
        near = f"; there is {below[0]}" if below else ""
        fix = f"Rename {below[0]} to {MANIFEST}." if below and "/" not in below[0] else ""
        span = Span(below[0], 1, 1) if below else None
        yield Problem(f"there is no {MANIFEST}{near}", span=span, fix=fix)


@rule(
    "XI703",
    Severity.REFUSED,
    Stage.UPLOAD,
    source="daemon pkg/plugin_packager/decoder/zip.go",
    bad=({"./data.txt": "x"}, {"data\\list.txt": "x"}),
    good=({"data/list.txt": ("x",)},),
    fix="Pack with / between folders, and without ./.",
)
def odd_entry_names(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A name in the package has a backslash or begins with `./`."""
    for name in plugin.files.entries:
        if "\\" in name or name.startswith("./"):
            yield Problem(f"an entry is called {name!r}")


@rule(
    "XI704",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon pkg/plugin_packager/decoder/helper.go: CheckAssetsValid; "
    "sdk core/plugin_registration.py: os.scandir('_assets')",
    bad=({"_assets/icon.svg": None},),
    good=({"_assets/icon.svg": "<svg/>"},),
    fix=fix_in_files("Add the folder {}_assets, with the icons in it."),
)
def assets_missing(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """There is no folder `_assets`, which holds the icons."""
    if plugin.files and not has_assets(plugin):
        yield Problem(plugin.missing("_assets/"))


@rule(
    "XI705",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon pkg/plugin_packager/decoder/helper.go: failed to unmarshal position file",
    bad=({"models/llm/_position.yaml": "«»acme-1: 1\n"},),
    good=({"models/llm/_position.yaml": "- acme-1\n"},),
    fix='Write a list of names in quotes: - "gpt-4".',
)
def broken_position(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A list of positions is not a list of names."""
    for path in plugin.files:
        if path.endswith("_position.yaml") and listed(plugin.files, path) is None:
            yield Problem(f"{path} is not a list of names", span=Span(path, 1, 1))


@rule(
    "XI706",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="daemon pkg/plugin_packager/decoder/fs.go: Walk",
    bad=({".difyignore": "acme-2.yaml\n", "models/llm/acme-2.yaml": "model: acme-2\n"},),
    good=({".difyignore": "*.csv\n", "models/llm/prices.csv": "1\n"},),
    fix=fix_in_files(
        "Take it out of {0}.difyignore, or of {0}.gitignore if there is no .difyignore."
    ),
)
def needed_file_ignored(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """The manifest, the provider or a model is left out of the package by an ignore file."""
    for gone in plugin.files.left_out:
        is_yaml = gone.path.endswith((".yaml", ".yml"))
        if gone.path in _NEEDED or (is_yaml and gone.path.startswith(("models/", "provider/"))):
            yield Problem(f"{gone.path} is left out by {gone.reason}")


@rule(
    SECRET_PACKED,
    Severity.REFUSED,
    Stage.BUILD,
    source="xinfer.plugin.unwanted: Dify packs it, and everyone can read it",
    bad=({"«»config/.env": "KEY=1\n"}, {"«»server.key": "x\n"}),
    good=(
        {"config/.env.example": "KEY=\n"},
        {"server.pem": "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"},
        {".difyignore": ".env\n", ".env": "KEY=1\n"},
    ),
    fix=fix_in_files(
        "Leave it out with a line in {}.difyignore. If it is no secret, use --allow-secret."
    ),
)
def secret_packed(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A file that holds a secret would be published with the plugin; xinfer does not pack it.

    Files are recognised by their names, such as ``.env``, ``.npmrc``, ``id_ed25519`` and ``*.p12``,
    and private keys by their contents.
    """
    for secret in secrets_in(plugin.files):
        message = f"{plugin.path(secret.path)} would be published: {secret.reason}"
        yield Problem(message, at=secret.path, span=Span(secret.path, 1, 1))


@rule(
    "XI707",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit; daemon pkg/plugin_packager/decoder/fs.go: Walk",
    bad=({"models/__pycache__/llm.cpython-312.pyc": "x"}, {".git/config": "x"}),
    good=({".difyignore": ".git/\n", ".git/config": "x"},),
    fix=fix_in_files("List it in {}.difyignore."),
)
def folder_packed(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A repository, an environment or a cache is packed, because no ignore file names it.

    Packing leaves nothing out by itself: a repository's history, and the secrets in it, are
    published with the plugin.
    """
    folders = Counter(filter(None, map(tool_folder, plugin.files)))
    for name, count in folders.items():
        yield Problem(f"{name} is packed, with {count:,} file{'s' * (count > 1)} in it")


@rule(
    "XI708",
    Severity.ADVICE,
    Stage.UPLOAD,
    source="daemon pkg/plugin_packager/signer/withkey/sign_with_key.go",
    bad=({"data.txt": ("x", "y")},),
    good=({"data.txt": ("x",)},),
    fix="Pack it again; sign a package that is not signed yet.",
)
def entry_twice(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A file is in the package twice.

    Signing a signed package adds a second `.verification.dify.json`: with another category the
    signature is not valid.
    """
    for name, count in Counter(plugin.files.entries).items():
        if count > 1:
            yield Problem(f"{name} is in the package {count} times")


@rule(
    "XI709",
    Severity.ADVICE,
    Stage.UPLOAD,
    source="daemon pkg/plugin_packager/signer/withkey/sign_with_key.go",
    bad=({"«».verification.dify.json": "{}"},),
    good=({".difyignore": ".verification.dify.json\n", ".verification.dify.json": "{}"},),
    fix="Delete it; signing adds it.",
)
def signature_packed(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """The folder holds what signing adds, so the signed package would hold it twice."""
    if not plugin.files.entries and _SIGNATURE in plugin.files:
        yield Problem(f"{_SIGNATURE} is packed", span=Span(_SIGNATURE, 1, 1))


_OF_A_FOLDER = fix_in_files(
    "Put the folder itself there, or leave it out with a line in {}.difyignore."
)


@rule(
    "XI710",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon pkg/plugin_packager/decoder/fs.go: Walk, ReadFile",
    bad=(
        {"«»models/gone": Link("nowhere")},
        {"«»models/all": Link("../models/llm")},
        {"«»README.md": Link("/etc/hosts")},
    ),
    good=(
        {"copy.md": Link("README.md")},
        {".difyignore": "gone\n", "gone": Link("nowhere")},
    ),
    fix=fix_in_files("Put the file itself there, or leave it out with a line in {}.difyignore."),
)
def unpackable(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """Something in the folder is not a file that can be packed.

    The packager refuses links to folders, links that lead nowhere, sockets and devices, and waits
    forever for a named pipe. xinfer refuses links out of the folder too, because another machine
    has something else there.
    """
    for fault in plugin.files.unpackable:
        fix = _OF_A_FOLDER if fault.reason == "a link to a folder" else ""
        yield Problem(f"{fault.path} is {fault.reason}", span=Span(fault.path, 1, 1), fix=fix)


RULES = (
    unreadable_value,
    missing_key,
    field_help_without_english,
    unusable_value,
    position_of_nothing,
    folder_entries,
    manifest_not_on_top,
    odd_entry_names,
    assets_missing,
    broken_position,
    needed_file_ignored,
    secret_packed,
    folder_packed,
    entry_twice,
    signature_packed,
    unpackable,
)
