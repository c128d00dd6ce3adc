"""What the commands say of themselves, and what they import for it."""

import click
import pytest
from command_line import run, xinfer

from xinfer.cli import main


def test_invoke_explains_itself_where_there_is_no_spec(tmp_path):
    helped = xinfer("invoke", "--help", cwd=tmp_path)
    assert helped.returncode == 0
    assert "--param NAME=VALUE" in helped.stdout
    failed = xinfer("invoke", "llm", "Hi", cwd=tmp_path)
    assert failed.returncode == 2
    assert "There is no provider_spec.py: name the file" in failed.stderr


def test_the_help_of_invoke_lists_the_fields_of_the_spec():
    text = xinfer("invoke", "--help").stdout
    assert "--server-url" in text
    assert "XINFER_API_KEY" in text
    text = xinfer("invoke", "--spec", "examples/tariff/provider_spec.py", "--help").stdout
    assert "--server-url" not in text
    assert "--base-url" in text


GROUP = click.Context(main, info_name="xinfer", terminal_width=60)


@pytest.mark.parametrize("name", main.list_commands(GROUP))
def test_help_fits_a_narrow_terminal_and_has_an_example(name):
    command = main.get_command(GROUP, name)
    context = click.Context(command, GROUP, name, terminal_width=60)
    text, _, examples = command.get_help(context).partition("Examples:\n")
    assert [line for line in text.splitlines() if len(line) > 60 and "|" not in line] == []
    assert f"  xinfer {name}" in examples


def test_the_list_of_commands_fits_a_narrow_terminal():
    assert max(map(len, main.get_help(GROUP).splitlines())) <= 60


def test_what_a_command_imports_is_imported_when_it_is_called():
    """So that --help and completion stay instant."""
    listed = "import sys, xinfer.cli, click; from importlib import import_module\n"
    listed += "c = click.Context(xinfer.cli.main)\n"
    listed += "[xinfer.cli.main.get_command(c, n) for n in xinfer.cli.main.list_commands(c)]\n"
    listed += "print(*sorted(m for m in sys.modules if m.startswith('xinfer.')))"
    loaded = run("-c", listed).stdout.split()
    assert loaded
    assert [name for name in loaded if not name.startswith("xinfer.cli")] == []


@pytest.mark.parametrize("name", main.list_commands(GROUP))
def test_help_without_a_spec_imports_what_click_needs_and_no_more(name, tmp_path):
    asked = "import sys; from xinfer.cli import main\n"
    asked += f"main([{name!r}, '--help'], standalone_mode=False)\n"
    asked += "print(*sorted({m.partition('.')[0] for m in sys.modules} & "
    asked += "{'attr', 'ruamel', 'requests', 'rich', 'packaging', 'starlette'}), file=sys.stderr)"
    helped = run("-c", asked, cwd=tmp_path)
    assert helped.stdout.startswith("Usage:")
    assert helped.stderr == "\n"


def test_help_with_a_spec_reads_it_without_the_rules_and_yaml():
    asked = "import sys; from xinfer.cli import main\n"
    asked += "main(['invoke', '--help'], standalone_mode=False)\n"
    asked += "print(*sorted({'ruamel', 'xinfer.rules', 'xinfer.yaml'} & {*sys.modules}), "
    asked += "file=sys.stderr)"
    helped = run("-c", asked)
    assert "--server-url" in helped.stdout
    assert helped.stderr == "\n"
