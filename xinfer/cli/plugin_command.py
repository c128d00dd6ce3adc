"""The options of the commands that start a plugin: one for each credentials field, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from xinfer.cli.options import UnusableInput, spec_option

if TYPE_CHECKING:
    from xinfer.spec import Project
    from xinfer.spec.credential_field import CredentialField

MODEL_TYPES = ("llm", "text-embedding", "rerank", "speech2text", "tts", "moderation")
"""The types that a plugin can be asked for; repeated here so that ``--help`` imports nothing."""

_CREDENTIAL = "credential_"
"""The prefix of the parameters that hold the options of the credentials class."""


class PluginCommand(click.Command):
    """Has an option for each credentials field of the spec, which it reads first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Load the spec that ``--spec`` names, then parse everything.

        Help needs no spec, and nothing is imported for it where there is none.
        """
        spec = _spec_in(args)
        asks_for_help = bool(set(args) & set(ctx.help_option_names))
        if not asks_for_help or spec.is_file():
            from xinfer.build.load import SpecError, load_spec

            try:
                ctx.obj = load_spec(spec).project
            except SpecError as error:
                if not asks_for_help:
                    raise UnusableInput(str(error)) from error
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own options, then those of the credentials."""
        own = super().get_params(ctx)
        present = {name for parameter in own for name in parameter.opts}
        added = _credential_options(ctx.obj) if ctx.obj else ()
        return [*own, *(option for option in added if not present.intersection(option.opts))]


def _spec_in(args: list[str]) -> Path:
    """Find the value of ``--spec``, before the spec tells which other options there are."""
    for argument, following in pairwise([*args, ""]):
        name, equals, value = argument.partition("=")
        if name == "--spec" and (equals or following):
            return Path(value if equals else following)
    return Path("provider_spec.py")


def _credential_options(project: Project) -> Iterator[click.Option]:
    from xinfer.spec import FormType

    for declared in form_fields(project):
        yield click.Option(
            [option_of(declared), f"{_CREDENTIAL}{declared.form.variable}"],
            help=f"{declared.form.label}.",
            envvar=variable_of(declared),
            show_envvar=declared.form.type is FormType.SECRET_INPUT,
        )


def form_fields(project: Project) -> Iterator[CredentialField]:
    """List the credentials fields that users fill in."""
    from xinfer.spec.credentials import fields

    for declared in fields(project.credentials):
        if not declared.asked_by_dify:
            yield declared


def option_of(declared: CredentialField) -> str:
    """Name the option of a field, e.g. ``--api-key``."""
    return f"--{declared.form.variable.replace('_', '-')}"


def variable_of(declared: CredentialField) -> str:
    """Name the environment variable of a field, e.g. ``XINFER_API_KEY``."""
    return f"XINFER_{declared.form.variable.upper()}"


class PluginOptions(NamedTuple):
    """The options of every command that starts the plugin.

    :param project: what the spec declares; not set if the command has not read it, as for a schema.
    :param spec: the path of the ``provider_spec.py``.
    :param model: its name; ``None`` for the first declared one of its type.
    :param fake: whether to use the fake server, whatever is configured.
    :param verbose: whether to show the request, the log and tracebacks.
    :param credentials: the options of the credentials class, by variable.
    """

    project: Project
    spec: Path
    model: str | None
    fake: bool
    verbose: bool
    credentials: Mapping[str, str | None]


def plugin_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every command that starts the plugin, as its argument ``options``."""

    @click.pass_obj
    @wraps(command)
    def with_options(project: Project, /, **values: Any) -> None:
        credentials = {
            name.removeprefix(_CREDENTIAL): values.pop(name)
            for name in list(values)
            if name.startswith(_CREDENTIAL)
        }
        own = {name: values.pop(name) for name in ("spec", "model", "fake", "verbose")}
        command(options=PluginOptions(project=project, credentials=credentials, **own), **values)

    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Show the request, log and traceback."),
        click.option("--fake", is_flag=True, help="Use the fake server, whatever is configured."),
        click.option("--model", help="The model; by default the first declared one of its type."),
        spec_option,
    ):
        with_options = option(with_options)
    return with_options
