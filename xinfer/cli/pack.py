"""``xinfer pack``: a folder, a spec or a package to a package, as Dify's packager makes it."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.cli.options import UnusableInput, allow_secret_option, counted, examples
from xinfer.cli.terminal import visible


@click.command(
    epilog=examples(
        "xinfer pack acme",
        "xinfer pack provider_spec.py -o acme.difypkg",
        "xinfer pack --offline --platform linux/amd64,linux/arm64 acme-0.1.0.difypkg",
    )
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="NAME-VERSION.difypkg if not set."
)
@allow_secret_option
@click.option(
    "--offline",
    is_flag=True,
    help="Add the wheels of all requirements, for a Dify that reaches no package index.",
)
@click.option(
    "--platform",
    "platforms",
    show_default="linux/amd64",
    help="With --offline: where Dify runs, linux/amd64 and linux/arm64, separated by commas.",
)
@click.option(
    "--python",
    show_default="3.12",
    help="With --offline: the Python of Dify's daemon.",
)
def pack(
    path: Path,
    out: Path | None,
    allow_secret: tuple[str, ...],
    platforms: str | None,
    python: str | None,
    *,
    offline: bool,
) -> None:
    """Pack a plugin: PATH is its folder, its provider_spec.py or its .difypkg.

    Holds the files that Dify's packager packs, in its order: all but those that .difyignore, or
    else .gitignore, leaves out. What Dify refuses is not packed, nor is a secret.
    """
    if not offline and (platforms, python) != (None, None):
        raise UnusableInput("--platform and --python choose wheels: add --offline.")
    from xinfer.build.preparation import WrongValues
    from xinfer.cli.report import show
    from xinfer.cli.sides import plugin_at
    from xinfer.plugin.archive import pack as packed
    from xinfer.plugin.checksum import checksum, identifier, require_identifier
    from xinfer.plugin.limits import MAX_PACKAGE_BYTES, UnreadablePlugin
    from xinfer.plugin.offline import OfflineError, with_wheels
    from xinfer.plugin.requirements import with_requirements
    from xinfer.plugin.writer import write_file
    from xinfer.rules import Report, Severity, report

    try:
        plugin = plugin_at(path)
    except WrongValues as error:
        show(Report(error.findings))
        raise SystemExit(1) from error
    checked = report(plugin, allowed=allow_secret)
    refused = tuple(f for f in checked.findings if f.severity is Severity.REFUSED)
    if refused:
        show(Report(refused))
        raise SystemExit(1)
    try:
        manifest = plugin.project.manifest
        if out is None:
            require_identifier(manifest.author, manifest.name, manifest.version)
        files = with_requirements(plugin.files)
        if offline:
            wanted = "linux/amd64" if platforms is None else platforms
            names = [name.strip() for name in wanted.split(",")]
            files = with_wheels(files, names, python or "3.12")
        content = packed(files.items())
        target = out or Path(f"{manifest.name}-{manifest.version}{'-offline' * offline}.difypkg")
        if max(files.size, len(content)) > MAX_PACKAGE_BYTES:
            raise UnusableInput(
                f"The package holds {files.size:,} bytes and Dify takes {MAX_PACKAGE_BYTES:,}: "
                "pack for one platform, or leave out files."
            )
    except (UnreadablePlugin, OfflineError) as error:
        raise UnusableInput(str(error)) from error
    try:
        write_file(target, content)
    except OSError as error:
        raise UnusableInput(f"{target} cannot be written: {error.strerror}.") from error
    digest = checksum(files)
    click.echo(f"Wrote {target} ({counted(len(files), 'file')}, {len(content):,} bytes).")
    click.echo(
        f"Identifier: {identifier(manifest.author, manifest.name, manifest.version, digest)}"
    )
    click.echo(f"Checksum: {digest}")
    click.echo("Largest files:")
    for file in files.largest():
        click.echo(f"  {file.size:>12,}  {visible(file.path)}")
