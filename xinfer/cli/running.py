"""What the commands that start a plugin share: credentials, server, process and errors."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from xinfer.cli.options import UnusableInput, require
from xinfer.cli.plugin_command import PluginOptions, form_fields, option_of, variable_of
from xinfer.cli.terminal import json_text

if TYPE_CHECKING:
    from xinfer.build.preparation import Prepared
    from xinfer.daemon.invocation import Invocation
    from xinfer.daemon.process import PluginProcess
    from xinfer.daemon.session import CallError
    from xinfer.spec import ModelType, Project
    from xinfer.spec.credential_field import CredentialField


@frozen(kw_only=True)
class Running:
    """A started plugin, and the call to make of it."""

    call: Invocation
    plugin: PluginProcess


@contextmanager
def running(options: PluginOptions, model_type: str, **invocation: Any) -> Iterator[Running]:
    """Start the plugin, and a fake server unless there are credentials.

    A call that fails in the block becomes an error message, with its place in the author's own
    Python.

    :param invocation: fields of the :class:`~xinfer.daemon.invocation.Invocation`.
    :raises UnusableInput: the model, or a credential, is missing or unknown.
    :raises click.ClickException: the plugin does not start, or a call failed.
    """
    command = click.get_current_context().info_name
    require(
        "dify_plugin",
        extra="runtime",
        because=f"xinfer {command} starts the plugin, which needs Dify's SDK",
    )
    from xinfer.build.preparation import BuildError, prepare
    from xinfer.daemon.invocation import Invocation
    from xinfer.daemon.process import PluginProcess
    from xinfer.daemon.session import CallError, PluginError
    from xinfer.spec import ModelType
    from xinfer.testing.provider import model_of, written

    project, folder = options.project, options.spec.parent
    kind = ModelType(model_type)
    name, customizable = _model(project, kind, options.model)
    values = {} if options.fake else _collected(project, kind, folder, options.credentials)
    try:
        prepared = prepare(options.spec)
    except BuildError as error:
        raise UnusableInput(str(error)) from error
    with ExitStack() as stack:
        server = None
        if not values and _required_fields(project, kind):
            server, values = stack.enter_context(_fake_server(prepared, kind))
            name = name or model_of(project, kind)[0]
        built = stack.enter_context(written(prepared, server=server))
        call = Invocation(
            provider=project.provider.provider,
            model_type=kind,
            model=name or _name_on_server(project, values),
            customizable=customizable,
            credentials=values,
            **invocation,
        )
        if options.verbose:
            _show_request(project, call)
        listen = _print_line if options.verbose else None
        try:
            plugin = stack.enter_context(PluginProcess.start(built, listen=listen))
            yield Running(call=call, plugin=plugin)
        except CallError as error:
            if options.verbose and error.traceback:
                click.secho(error.traceback.rstrip(), err=True, dim=True)
            place = _own_place(error, built, (folder / project.files, folder))
            hint = "  Run it again with -v for the traceback and the plugin's log."
            lines = [str(error), *place, *([hint] if place and not options.verbose else ())]
            raise click.ClickException("\n".join(lines)) from error
        except PluginError as error:
            raise click.ClickException(str(error)) from error


def _model(project: Project, kind: ModelType, name: str | None) -> tuple[str | None, bool]:
    """Choose the model: its name, ``None`` for the server's default; and whether users add it."""
    if kind not in project.model_types:
        raise UnusableInput(
            f"{project.manifest.name} declares no {kind} models, only "
            f"{', '.join(project.model_types)}."
        )
    predefined = [declared.model for declared in project.models if declared.model_type is kind]
    customizable = any(declared.model_type is kind for declared in project.customizable_models)
    if name is None:
        return (predefined[0], False) if predefined else (None, True)
    if name in predefined or customizable:
        return name, name not in predefined
    from difflib import get_close_matches

    near = get_close_matches(name, predefined, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(predefined)}."
    raise UnusableInput(f"There is no {kind} model {name}: {hint}")


def _name_on_server(project: Project, values: Mapping[str, str]) -> str:
    from xinfer.spec import model

    for declared in form_fields(project):
        if model in declared.sets and declared.form.variable in values:
            return values[declared.form.variable]
    raise UnusableInput("Name the model to call with --model.")


def _collected(
    project: Project, kind: ModelType, folder: Path, options: Mapping[str, str | None]
) -> dict[str, str]:
    """Collect credentials: options and variables first, then ``.env``, then questions."""
    from_file = dict(env_file(folder / ".env"))
    values = {}
    for declared in form_fields(project):
        variable = declared.form.variable
        value = options.get(variable) or from_file.get(variable_of(declared))
        if value is not None:
            values[variable] = value
    if values and sys.stdin.isatty():
        for declared in _required_fields(project, kind):
            if declared.form.variable not in values:
                values[declared.form.variable] = _ask(declared)
    return values


def _required_fields(project: Project, kind: ModelType) -> list[CredentialField]:
    from attrs import NOTHING

    return [
        declared
        for declared in form_fields(project)
        if declared.default is NOTHING and declared.is_for(kind)
    ]


def _ask(declared: CredentialField) -> str:
    from xinfer.spec import FormType

    secret = declared.form.type is FormType.SECRET_INPUT
    return str(click.prompt(str(declared.form.label), hide_input=secret, err=True))


def env_file(path: Path) -> Iterator[tuple[str, str]]:
    """Read ``NAME=value`` lines; quotes around a value are dropped."""
    if not path.is_file():
        return
    for line in path.read_text("utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and value.strip() and not name.startswith("#"):
            yield name.strip(), re.sub(r"""^(["'])(.*)\1$""", r"\2", value.strip())


@contextmanager
def _fake_server(prepared: Prepared, kind: ModelType) -> Iterator[tuple[Any, dict[str, str]]]:
    from xinfer.testing.provider import NoServerField, credentials_for, served_models
    from xinfer.testing.server import FakeServer

    project = prepared.project
    needed = " and ".join(option_of(f) for f in _required_fields(project, kind))
    with FakeServer(served_models(project)) as server:
        try:
            values = credentials_for(project, server.url, kind)
        except NoServerField as error:
            raise UnusableInput(f"{error} Or give the credentials: {needed}.") from error
        click.secho(
            f"A fake server answers at {server.url}; give {needed} for a real one.",
            err=True,
            dim=True,
        )
        yield server, values


def _show_request(project: Project, call: Invocation) -> None:
    """Print what the plugin is sent, without the values of secret fields."""
    from xinfer.spec import FormType

    secret = {
        declared.form.variable
        for declared in form_fields(project)
        if declared.form.type is FormType.SECRET_INPUT
    }
    action, fields = call.request()
    hidden = {name: "***" if name in secret else value for name, value in call.credentials.items()}
    request = json_text({**fields, "credentials": hidden}, indent=2)
    click.secho(f"{action} {_shortened(request)}", err=True, dim=True)


def _shortened(request: str) -> str:
    """Cut long lines, such as a file's: a request must stay readable."""
    lines = request.splitlines()
    return "\n".join(line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines)


_WIDEST = 400


def _print_line(line: str) -> None:
    click.secho(f"plugin: {line}", err=True, dim=True)


def _own_place(error: CallError, folder: Path, sources: tuple[Path, ...]) -> tuple[str, ...]:
    """Return a line about where in the author's own Python an unexpected exception was raised.

    :param folder: the plugin that runs.
    :param sources: the folders in which its author may have a file.
    """
    first = re.split(r"\n\n(?:During handling|The above exception)", error.traceback)[0]
    raised = first.rstrip().rpartition("\n")[2]
    folder = folder.resolve()
    frames = [
        (Path(file).relative_to(folder), line, function)
        for file, line, function in _FRAME.findall(first)
        if Path(file).is_relative_to(folder) and not Path(file).is_relative_to(folder / "xinfer")
    ]
    if not frames or raised.startswith(("dify_plugin.", "xinfer.")):
        return ()
    file, line, function = frames[-1]
    places = (source / file for source in sources)
    place = next((os.path.relpath(path) for path in places if path.is_file()), str(file))
    return (f"  {place}:{line} in {function}: {raised}",)


_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (\S+)$', re.MULTILINE)
