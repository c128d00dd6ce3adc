"""Rules of the manifest's ``meta``: its format, how the plugin is started, the Dify it needs."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, rule
from xinfer.rules.versions import THREE_NUMBERS, is_pep440
from xinfer.spec import Meta, Runner
from xinfer.spec.dify_versions import features_used


@rule(
    "XI110",
    Severity.REFUSED,
    Stage.START,
    source="daemon internal/core/local_runtime/subprocess.go: python -m",
    bad=("meta:\n  runner:\n    entrypoint: «main.py»\n",),
    good=("meta:\n  runner:\n    entrypoint: main\n",),
    fix="Write the module's name, e.g. main.",
)
def entrypoint_form(runner: Runner, _: Plugin) -> Iterator[Problem]:
    """The entry point is not a module's name, so `python -m` does not start it."""
    parts = runner.entrypoint.split(".")
    if runner.entrypoint.endswith(".py") or not all(part.isidentifier() for part in parts):
        yield Problem(f"{runner.entrypoint!r} is not the name of a module", at="entrypoint")


@rule(
    "XI111",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon pkg/entities/plugin_entities/plugin_declaration.go: PluginMeta",
    bad=("meta:\n  version: «'1'»\n",),
    good=("meta:\n  version: 0.0.2\n",),
    fix="Write 0.0.1.",
)
def meta_version(meta: Meta, _: Plugin) -> Iterator[Problem]:
    """The version of the manifest's format is not three numbers."""
    if not THREE_NUMBERS.fullmatch(meta.version):
        yield Problem(f"the version {meta.version!r} is not of the form 0.0.1", at="version")


@rule(
    "XI112",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/entities/plugin/setup.py: PluginConfiguration.Meta",
    bad=("meta:\n  minimum_dify_version: «soon»\n",),
    good=("meta:\n  minimum_dify_version: 1.4.0\n",),
    fix="Write a version of Dify, e.g. 1.4.0.",
)
def minimum_version(meta: Meta, _: Plugin) -> Iterator[Problem]:
    """The minimum version of Dify is not a version."""
    minimum = meta.minimum_dify_version
    if minimum is not None and not is_pep440(minimum):
        yield Problem(f"{minimum!r} is not a version", at="minimum_dify_version")


_STRUCTURED = (
    "features:\n  - structured-output\nparameter_rules:\n  - name: json_schema\n"
    "    use_template: json_schema\n"
)


@rule(
    "XI123",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="sdk README: Meta.MinimumDifyVersion Reference; langgenius/dify#40501",
    bad=(
        {
            "manifest.yaml": "meta:\n  minimum_dify_version: «1.5.0»\n",
            "models/llm/acme-1.yaml": _STRUCTURED,
        },
        {
            "manifest.yaml": "icon_dark: icon.svg\nmeta:\n  minimum_dify_version: «1.5.1»\n",
            "models/llm/acme-1.yaml": _STRUCTURED,
        },
    ),
    good=(
        {
            "manifest.yaml": "meta:\n  minimum_dify_version: 1.5.1\n",
            "models/llm/acme-1.yaml": _STRUCTURED,
        },
        "icon_dark: icon.svg\nmeta:\n  minimum_dify_version: 1.6.0\n",
    ),
    fix=Fix(
        spec="Leave it out: the build writes the least version that has what the plugin uses.",
        yaml="Write the highest version that the message names.",
    ),
)
def minimum_version_too_low(meta: Meta, plugin: Plugin) -> Iterator[Problem]:
    """The plugin uses something that the Dify it names as the least one does not have.

    That Dify installs the plugin without a warning. It does without the feature, or cannot read the
    model that declares it.
    """
    minimum = meta.minimum_dify_version
    if minimum is None or not is_pep440(minimum):
        return
    lacking = [
        (feature, user)
        for feature, user in features_used(plugin.project)
        if Version(feature.since) > Version(minimum)
    ]
    if lacking:
        needs = ", ".join(f"{feature.name} needs {feature.since}" for feature, _ in lacking)
        yield Problem(
            f"Dify {minimum} is too old: {needs}",
            at="minimum_dify_version",
            related=tuple(user.span for _, user in lacking if user.span),
        )


RULES = (
    entrypoint_form,
    meta_version,
    minimum_version,
    minimum_version_too_low,
)
