"""Checks of a declared project whose files need not be those that a build would make."""

from pathlib import Path

from xinfer.plugin.files import files_in_memory
from xinfer.plugin.plugin import Form, Plugin
from xinfer.rules import Severity, check, check_values
from xinfer.spec.project import complete, model_file


def plugin_with(project, contents, form=Form.SPEC):
    """Make a plugin of a project and these files."""
    declared = complete(project)
    carried_over = {path: Path(path) for path in contents if not path.endswith(".yaml")}
    return Plugin(
        form=form,
        files=files_in_memory(contents, Path("provider_spec.py"), carried_over),
        declared=declared,
        manifest=declared.manifest,
        provider=declared.provider,
        models=declared.models,
        model_paths=tuple(map(model_file, declared.models)),
    )


def check_project(project, contents, form=Form.SPEC):
    """Find what is wrong, as a build does: first with the values, then with the rest."""
    values = check_values(project)
    if any(finding.severity is Severity.REFUSED for finding in values):
        return values
    return check(plugin_with(project, contents, form))
