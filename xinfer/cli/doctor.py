"""``xinfer doctor``: whether a model server works for Dify, and what to enter there."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xinfer.cli.options import UnusableInput, examples, require
from xinfer.cli.terminal import json_text

if TYPE_CHECKING:
    from xinfer.cli.diagnosis import Diagnosis, ServedModel, Step
    from xinfer.spec import Project

_MARKS = {"ok": ("ok", "green"), "failed": ("failed", "red"), "unknown": ("-", "yellow")}
_KEY = "XINFER_API_KEY"
_PLACE = "KEY-GOES-HERE"


@click.command(
    epilog=examples(
        "xinfer doctor --server-url http://192.168.1.100:9997",
        "xinfer doctor --server-url http://localhost:8000/v1 --json",
        "xinfer doctor --server-url http://192.168.1.100:9997 --dify",
    )
)
@click.option("--server-url", required=True, help="Where the model server is.")
@click.option("--api-key", envvar=_KEY, show_envvar=True, help="If the server demands one.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="In seconds.",
)
@click.option("--no-verify-tls", is_flag=True, help="Trust any certificate.")
@click.option(
    "--spec",
    type=click.Path(path_type=Path),
    default="provider_spec.py",
    help="Say what this provider will offer of the models; left out where there is none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option(
    "--dify", is_flag=True, help="Print the console calls that add all models; nothing is sent."
)
def doctor(
    server_url: str,
    api_key: str | None,
    timeout: float,
    spec: Path,
    *,
    no_verify_tls: bool,
    as_json: bool,
    dify: bool,
) -> None:
    """Find out whether a model server works for Dify, and what to enter there.

    Reaches the server, recognises it, lists its models and makes a small call of each. Exits with
    1 when something fails.
    """
    require("requests", extra="runtime", because="xinfer doctor uses the plugin's client")
    from xinfer.cli.diagnosis import diagnose
    from xinfer.spec import Secret

    project = _project(spec)
    quiet = as_json or dify
    diagnosis = diagnose(
        server_url,
        Secret(api_key) if api_key else None,
        project=project,
        timeout=timeout,
        verify_tls=not no_verify_tls,
        tell=(lambda _: None) if quiet else _show_step,
    )
    if as_json:
        click.echo(json_text(_data(diagnosis), indent=2))
    elif dify:
        for line in _console_calls(diagnosis, project):
            click.echo(line)
    elif diagnosis.models:
        _show_models(diagnosis)
        _show_entries(diagnosis, project)
    if not diagnosis.healthy:
        raise SystemExit(1)


def _project(spec: Path) -> Project | None:
    if not spec.is_file():
        return None
    from xinfer.build.load import SpecError, load_spec

    try:
        return load_spec(spec).project
    except SpecError as error:
        raise UnusableInput(str(error)) from error


def _show_step(step: Step) -> None:
    mark, colour = _MARKS[step.outcome]
    click.echo(f"{click.style(f'{mark:>6}', fg=colour)}  {step.name}: {step.english}")
    if step.chinese:
        click.echo(f"        {step.chinese}")


def _show_models(diagnosis: Diagnosis) -> None:
    """Print a table: what each model is, and what Dify will offer of it."""
    head = ("Model", "Type", "Context", "In Dify", "Works")
    rows = [head, *(_row(model) for model in diagnosis.models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    click.echo()
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.secho("  ".join(cells).rstrip(), bold=number == 0)


def _row(model: ServedModel) -> tuple[str, ...]:
    offered = model.offered
    context = offered.model_properties.context_size if offered else None
    features = [str(feature) for feature in offered.features] if offered else []
    if offered and offered.model_properties.max_chunks:
        features.append(f"{offered.model_properties.max_chunks} texts a call")
    return (
        model.name,
        model.model_type or "unknown",
        f"{context or model.limits.get('context_length') or '-'}",
        ", ".join(features or model.abilities) or "-",
        _MARKS[model.tried.outcome][0] if model.tried else "-",
    )


def _show_entries(diagnosis: Diagnosis, project: Project | None) -> None:
    """Print what to enter in Dify's dialog, field by field."""
    works = [model for model in diagnosis.models if model.tried and model.tried.outcome == "ok"]
    if not works:
        return
    model = works[0]
    click.echo(f"\nEnter in Dify, for {model.name} (model type {model.model_type}):")
    for label, value in _entries(diagnosis, model, project):
        click.echo(f"  {label}: {value}")


def _entries(
    diagnosis: Diagnosis, model: ServedModel, project: Project | None
) -> Iterator[tuple[str, str]]:
    yield "Model name", model.name
    variables = _variables(project)
    labels = {entry.form.variable: str(entry.form.label) for entry in _fields(project)}
    values = {
        "base_url": diagnosis.base_url,
        "model": model.name,
        "api_key": "the key, if the server demands one",
    }
    defaults = {"base_url": "Server URL", "model": "Model", "api_key": "API key"}
    for target, value in values.items():
        if target in variables or project is None:
            yield labels.get(variables.get(target, ""), defaults[target]), value


def _fields(project: Project | None) -> tuple[Any, ...]:
    from xinfer.spec.credentials import fields

    return fields(project.credentials) if project else ()


def _variables(project: Project | None) -> dict[str, str]:
    """Name the variable of the form that sets each part of a request."""
    from xinfer.spec.targets import Target

    return {
        target.name: entry.form.variable
        for entry in _fields(project)
        for target in entry.sets
        if isinstance(target, Target)
    }


def _console_calls(diagnosis: Diagnosis, project: Project | None) -> Iterator[str]:
    """Write the calls of Dify's console API that add each model that works.

    Source: ``ModelProviderModelCredentialApi`` of Dify.
    """
    if project is None:
        raise UnusableInput(
            "--dify needs a provider_spec.py, which names the plugin and its fields: give --spec."
        )
    variables = _variables(project)
    manifest, provider = project.manifest, project.provider.provider
    path = f"{manifest.author}/{manifest.name}/{provider}/models/credentials"
    yield "# DIFY is the URL of Dify, TOKEN a console access token of an administrator."
    keyed = os.environ.get(_KEY) is not None and "api_key" in variables
    if keyed:
        yield f"# {_KEY} is read from the environment when a call is made."
    for model in diagnosis.models:
        if not model.tried or model.tried.outcome != "ok":
            continue
        credentials = {
            variables[target]: value
            for target, value in (("base_url", diagnosis.base_url), ("model", model.name))
            if target in variables
        }
        if keyed:
            credentials[variables["api_key"]] = _PLACE
        body = {
            "model": model.name,
            "model_type": model.model_type,
            "credentials": credentials,
        }
        # The shell puts the key in; it is never printed.
        data = shlex.quote(json_text(body)).replace(_PLACE, f"'\"${_KEY}\"'")
        yield (
            f'curl -X POST "$DIFY/console/api/workspaces/current/model-providers/{path}" \\\n'
            f'  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\\n'
            f"  -d {data}"
        )


def _data(diagnosis: Diagnosis) -> dict[str, Any]:
    from attrs import asdict

    return {
        "base_url": diagnosis.base_url,
        "dialect": diagnosis.dialect,
        "version": diagnosis.version,
        "healthy": diagnosis.healthy,
        "steps": [asdict(step) for step in diagnosis.steps],
        "models": [
            {
                "name": model.name,
                "model_type": model.model_type,
                "abilities": list(model.abilities),
                "limits": dict(model.limits),
                "features": [str(f) for f in model.offered.features] if model.offered else None,
                "works": asdict(model.tried) if model.tried else None,
            }
            for model in diagnosis.models
        ],
    }
