"""``xinfer docs``: a provider's documentation, from its declaration."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.cli.options import LANGUAGES, UnusableInput, examples, spec_option, write_output


@click.command(
    epilog=examples(
        "xinfer docs",
        "xinfer docs --language zh_Hans -o models.md",
        "xinfer docs --update plugin/README.md --check",
    )
)
@spec_option
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="By default that of the name of --update, e.g. README_zh_Hans.md, else English.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.")
@click.option(
    "--update",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Replace the tables between the marks in this document.",
)
@click.option("--check", is_flag=True, help="With --update: change nothing, exit with 1 if stale.")
def docs(
    spec: Path,
    language: str | None,
    output: Path | None,
    update: Path | None,
    *,
    check: bool,
) -> None:
    r"""Write a Markdown page of a provider: its fields, models, parameters and prices.

    In a document of your own, mark where a table goes, then use --update:

    \b
      <!-- xinfer docs: fields -->
      <!-- xinfer docs: end -->
    """
    from xinfer.build.load import SpecError, load_spec
    from xinfer.cli.pages import page, updated
    from xinfer.spec.project import complete

    try:
        project = complete(load_spec(spec).project)
    except SpecError as error:
        raise UnusableInput(str(error)) from error
    if update is not None:
        suffix = next((name for name in LANGUAGES if name in update.name), LANGUAGES[0])
        before = update.read_text("utf-8")
        after = updated(before, project, language or suffix)
        if check and before != after:
            raise click.ClickException(
                f"{update} is out of date: run xinfer docs --update {update}"
            )
        if before != after:
            write_output(update, after)
        click.echo(f"{update} is up to date." if before == after else f"Updated {update}.")
        return
    _deliver(page(project, language or LANGUAGES[0]), output)


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        write_output(output, text)
        click.echo(f"Wrote {output}.")
