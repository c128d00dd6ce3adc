"""``xinfer preview``: what Dify will show of a plugin, in a local page that follows each save."""

from __future__ import annotations

import shutil
import socket
import threading
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import UnusableInput, examples, existing

if TYPE_CHECKING:
    import uvicorn

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_READY = 30.0
"""Seconds to wait for the first load."""


@click.command(epilog=examples("xinfer preview", "xinfer preview acme.difypkg --port 8080"))
@click.argument("path", type=click.Path(path_type=Path), default="provider_spec.py")
@click.option("--port", type=int, default=0, help="0 chooses a free one.", show_default=True)
@click.option("--server-url", help="A model server to try the plugin with; else a fake one.")
@click.option("--no-open", is_flag=True, help="Print the address, and open no browser.")
@click.option(
    "--screenshot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a picture of the page to this file and stop.",
)
@click.option("--dark", is_flag=True, help="With --screenshot: in dark colours.")
@click.option("--section", default="Add model", help="With --screenshot: what to show.")
def preview(
    path: Path,
    port: int,
    server_url: str | None,
    screenshot: Path | None,
    section: str,
    *,
    no_open: bool,
    dark: bool,
) -> None:
    """Show what Dify will show of a plugin, and what the plugin will receive.

    PATH is a provider_spec.py, the folder of a plugin, or a .difypkg. The page follows each save;
    it answers on this machine alone. Example: xinfer preview --no-open
    """
    existing(path)
    try:
        import uvicorn

        from xinfer.preview.app import Preview, application
    except ModuleNotFoundError as error:
        raise UnusableInput(
            f"The preview needs {error.name}: install the extra, dify-xinfer[preview]."
        ) from error
    listening = _listen(port)
    port = listening.getsockname()[1]
    run = Preview(path.absolute(), server_url)
    config = uvicorn.Config(
        application(run, port), log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    url = f"http://127.0.0.1:{port}/{run.token}/"
    if screenshot is not None:
        _photograph(server, listening, url, screenshot, section=section, dark=dark)
        return
    click.echo(f"The preview of {path} is at {url} (Ctrl-C ends it).")
    if not no_open:
        threading.Timer(0.5, webbrowser.open, [url]).start()
    server.run(sockets=[listening])


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise UnusableInput(f"Port {port} is taken: choose another one with --port.") from error
    listening.listen()
    return listening


def _photograph(
    server: uvicorn.Server,
    listening: socket.socket,
    url: str,
    file: Path,
    *,
    section: str,
    dark: bool,
) -> None:
    """Draw the page in a headless browser and write the picture."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise UnusableInput("A screenshot needs Chromium or Chrome: install one of them.")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise UnusableInput("A screenshot needs playwright: pip install playwright.") from error
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + _READY
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    with sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chrome.new_page(
            viewport={"width": 1360, "height": 860}, color_scheme="dark" if dark else "light"
        )
        page.goto(url)
        page.get_by_role("button", name=section, exact=True).first.click()
        page.wait_for_timeout(500)
        page.screenshot(path=file)
        chrome.close()
    server.should_exit = True
    thread.join(5)
    click.echo(f"Wrote {file}.")
