"""A page of the preview in a headless browser: started, driven and read as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

TESTS = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)
SPEC = "provider_spec.py"

expect.set_options(timeout=20_000)  # a machine may be busy; what is expected comes at once


def browser_path() -> str | None:
    """Find a browser on this machine."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def preview(path: Path, *options: str) -> Iterator[str]:
    """Start ``xinfer preview`` and yield the address it prints."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "xinfer", "preview", str(path), "--no-open", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    try:
        words = process.stdout.readline().split()
        yield next(word for word in words if word.startswith("http://"))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the browser of this machine without a window."""
    with sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=browser_path(), args=list(QUIET))
        yield chrome
        chrome.close()


@contextmanager
def new_page(chrome: Browser, **options: object) -> Iterator[Page]:
    """Open a page whose console errors and requests off this machine fail the test."""
    context = chrome.new_context(viewport={"width": 1360, "height": 900}, **options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda r: problems.append(r.url) if "127.0.0.1" not in r.url else None)
    yield page
    context.close()
    assert problems == []


@contextmanager
def drawing(page: Page) -> Iterator[None]:
    """Wait, after what is done meanwhile, until the page has asked anew and drawn the answer."""
    before = page.evaluate("() => Number(document.body.dataset.asked ?? 0)")
    yield
    page.wait_for_function(
        "before => { const { asked, drawn } = document.body.dataset;"
        " return Number(asked) > before && asked === drawn; }",
        arg=before,
    )


def row(page: Page, variable: str) -> Locator:
    return page.locator(f'#stage [data-variable="{variable}"]')


def rows(page: Page) -> list[str]:
    return page.locator("#stage .row").evaluate_all("rows => rows.map(r => r.dataset.variable)")


def edit(page: Page, variable: str, value: str) -> None:
    """Enter a value as a user does, and wait until the page has drawn what follows."""
    box = row(page, variable)
    if box.locator(f'input[type=radio][value="{value}"]:checked').count():
        return
    with drawing(page):
        if box.locator("select").count():
            box.locator("select").select_option(value)
        elif box.locator("input[type=radio]").count():
            box.locator(f'input[type=radio][value="{value}"]').check()
        else:
            box.locator("input").fill(value)


def value_of(page: Page, variable: str) -> str:
    box = row(page, variable)
    if box.locator("input[type=radio]").count():
        chosen = box.locator("input[type=radio]:checked")
        return chosen.input_value() if chosen.count() else ""
    return box.locator("input, select").input_value()


def opened(page: Page, url: str, plugin: str) -> None:
    """Open the page and wait until it shows this plugin."""
    page.goto(url)
    expect(page.locator("#plugin")).to_have_text(plugin)
    settled = "() => document.body.dataset.drawn === document.body.dataset.asked"
    page.locator("body[data-drawn]").wait_for()
    page.wait_for_function(settled)
