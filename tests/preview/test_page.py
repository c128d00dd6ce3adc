"""The page in Chromium: every known dialog as a user drives it, and what keeps it safe."""

import json
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect
from representatives import every

from preview.browser import (
    SPEC,
    browser,
    browser_path,
    drawing,
    edit,
    new_page,
    opened,
    preview,
    row,
    rows,
    value_of,
)
from preview.cases import CASES, CREDENTIAL, TYPE

ROOT = Path(__file__).parents[2]
DECLARED = """\
from attrs import evolve
from preview.cases import CASES, project as make

case = next(case for case in CASES if case.number == {number!r})
made = make(case)
project = evolve(made, manifest=evolve(made.manifest, name={name!r}))
"""

pytestmark = pytest.mark.only_if(browser_path() is not None, "install Chromium")


def declare(folder: Path, number: str) -> str:
    """Write the spec of a case; return what the page then calls the plugin."""
    name = f"case-{number}"
    (folder / SPEC).write_text(DECLARED.format(number=number, name=name))
    return f"{name} 0.0.1"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    (folder / "plugin/_assets").mkdir(parents=True)
    icon = ROOT / "xinfer/preview/page/icon.svg"
    shutil.copy(icon, folder / "plugin/_assets/icon.svg")
    (folder / "plugin/main.py").write_text("")
    declare(folder, "1")
    return folder


@pytest.fixture(scope="module")
def url(home):
    with preview(home / SPEC) as address:
        yield address


@pytest.fixture(scope="module")
def chrome():
    with browser() as opened_browser:
        yield opened_browser


@pytest.fixture
def page(chrome):
    with new_page(chrome) as opened_page:
        yield opened_page


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_the_page_shows_what_dify_shows(home, url, page, case):
    page.goto("about:blank")
    plugin = declare(home, case.number)
    opened(page, url, plugin)
    if case.profile != "current":
        with drawing(page):
            page.locator("#profile").select_option(case.profile)
    section = {"add": "Add model", "edit": "Edit", "provider": "Provider"}[case.dialog]
    if case.dialog != "add":
        with drawing(page):
            page.get_by_role("button", name=section, exact=True).click()
    if case.stored is not None:
        state = {"dialog": "edit", "stored": case.stored, "section": "Edit"}
        page.goto("about:blank")
        opened(page, f"{url}#{json.dumps(state)}", plugin)
    for variable, value in case.edits:
        edit(page, variable, value)
    own = {"__model_name", TYPE, CREDENTIAL}
    assert [name for name in rows(page) if name not in own] == list(case.visible)
    if case.order is not None:
        assert rows(page) == list(case.order)
    if case.starred is not None:
        stars = [name for name in rows(page) if row(page, name).locator(".star").count()]
        assert stars == list(case.starred)
    assert {name: value_of(page, name) for name in case.values} == case.values
    button = page.locator("#stage .primary")
    if case.profile == "legacy" and case.errors:
        assert button.is_disabled()
        return
    with drawing(page):
        button.click()
    wrong = [name for name in rows(page) if row(page, name).locator(".error").inner_text()]
    assert wrong == list(case.errors)
    outcome = page.locator(".outcome")
    if case.received is not None:
        assert json.loads(outcome.locator("code").inner_text()) == case.received
    if case.refusal is not None:
        assert case.refusal in outcome.inner_text()
    if case.errors:
        assert outcome.count() == 0


def test_an_error_takes_the_focus_and_is_told_to_readers(home, url, page):
    opened(page, url, declare(home, "4"))
    edit(page, "__model_name", "m")
    edit(page, TYPE, "llm")
    with drawing(page):
        page.locator("#stage .primary").click()
    field = page.get_by_label("ctx label")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("ctx label is required")


def test_typing_keeps_the_cursor_where_it_is(home, url, page):
    opened(page, url, declare(home, "2"))
    field = page.get_by_label("url label")
    field.click()
    page.keyboard.type("http://host")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.type("my-")
    expect(field).to_have_value("http://my-host")
    expect(field).to_be_focused()


def test_a_hidden_field_says_why_and_a_click_shows_it(home, url, page):
    opened(page, url, declare(home, "1"))
    why = page.locator(".why")
    expect(why).to_contain_text('ctx because __model_type is "", not "llm"')
    with drawing(page):
        why.get_by_role("button", name="ctx").click()
    expect(row(page, "ctx")).to_be_visible()
    expect(why).not_to_contain_text("ctx")


def test_a_field_and_its_lines_light_up_together(home, url, page):
    opened(page, url, declare(home, "2"))
    page.get_by_role("tab", name="YAML").click()
    page.get_by_label("url label").focus()
    lit = page.locator("#panel .lit")
    expect(lit.first).to_contain_text("variable: url")
    page.get_by_role("tab", name="Sent and received").click()
    expect(page.locator("#panel")).to_contain_text("Plugin receives")


def test_a_save_that_does_not_load_keeps_the_last_page_under_the_error(home, url, page):
    opened(page, url, declare(home, "2"))
    (home / SPEC).write_text("project = nonsense\n")
    broken = page.locator("#broken")
    expect(broken).to_contain_text("NameError: name 'nonsense' is not defined")
    expect(broken).to_contain_text("line 1")
    expect(page.locator("body")).to_have_class("stale")
    assert "url" in rows(page)
    declare(home, "2")
    expect(broken).to_be_hidden()
    expect(page.locator("body")).not_to_have_class("stale")


def test_the_state_survives_a_reload_without_secrets(home, url, page):
    opened(page, url, declare(home, "7"))
    edit(page, "__model_name", "kept")
    edit(page, "key", "sk-secret")
    assert "sk-secret" not in page.url
    address = page.url
    page.goto("about:blank")
    opened(page, address, "case-7 0.0.1")
    assert value_of(page, "__model_name") == "kept"
    assert value_of(page, "key") == "EMPTY"


def test_the_keyboard_reaches_everything(home, url, page):
    opened(page, url, declare(home, "1"))
    page.locator("body").press("/")
    assert page.evaluate("document.activeElement.id") == "field-__model_name"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "field-__model_type"
    page.locator("h1").click()
    page.locator("body").press("g")
    page.locator("body").press("c")
    expect(page.get_by_role("heading", name="Model provider")).to_be_visible()
    tab = page.get_by_role("tab", name="Sent and received")
    tab.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Findings")).to_be_focused()


@pytest.mark.parametrize("section", ["Add model", "Cards", "Models", "Parameters", "Languages"])
def test_nothing_scrolls_sideways_on_a_phone(home, url, page, section):
    page.set_viewport_size({"width": 360, "height": 740})
    try:
        opened(page, url, declare(home, "2"))
        page.get_by_role("button", name=section, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        page.set_viewport_size({"width": 1360, "height": 900})


@pytest.fixture(scope="module")
def xinference(tmp_path_factory):
    with preview(ROOT / SPEC) as address:
        yield address


def test_parameters_follow_what_a_server_reports(xinference, page):
    opened(page, xinference, "xinference 0.1.0")
    page.get_by_role("button", name="Parameters", exact=True).click()
    assert not page.get_by_label("Thinking", exact=True).count()
    with drawing(page):
        page.get_by_label("hybrid").check()
    expect(page.get_by_label("Thinking", exact=True)).to_be_visible()
    with drawing(page):
        page.get_by_label("Send Temperature").check()
    expect(page.locator(".outcome")).to_contain_text('{"temperature":0.7}')


def test_a_message_goes_through_the_plugin(xinference, page):
    opened(page, xinference, "xinference 0.1.0")
    page.get_by_role("tab", name="Try it").click()
    page.get_by_label("Message").fill("Hello from the page")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("output")).to_contain_text("Hello from the page", timeout=60_000)
    expect(page.locator("#panel")).to_contain_text(re.compile(r"\d+ \+ \d+ tokens, first text"))


@pytest.mark.parametrize("scheme", every(["light", "dark"], "light"))
def test_axe_finds_nothing(xinference, chrome, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with new_page(chrome, bypass_csp=True, color_scheme=scheme) as page:
        opened(page, xinference, "xinference 0.1.0")
        for section in ("Add model", "Cards", "Models", "Parameters", "Languages"):
            page.get_by_role("button", name=section, exact=True).click()
            for tab in ("Sent and received", "Findings", "YAML"):
                page.get_by_role("tab", name=tab).click()
                results = Axe().run(page)
                assert results.violations_count == 0, results.generate_report()


def _status(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def test_the_page_answers_to_itself_alone(url):
    base = url.rsplit("/", 2)[0]
    status, headers = _status(f"{url}status")
    assert status == 200
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    assert _status(f"{base}/status")[0] == 404
    assert _status(f"{base}/guess/status")[0] == 404
    assert _status(f"{url}status", Host="example.com")[0] == 403
    assert _status(f"{url}status", Origin="http://example.com")[0] == 403
    assert _status(f"{url}status", Origin=base)[0] == 200
    assert _status(f"{url}..%2f..%2fapp.py")[0] == 404
    assert _status(f"{url}icons/..%2fmanifest.yaml")[0] == 404


LATE = """
    const real = window.fetch;
    window.late = "asked";
    window.fetch = async (...request) => {
      const answer = await real(...request);
      if (request[0] === "status" && window.late === "asked") {
        window.late = "held";
        await new Promise((go) => setTimeout(go, 1500));
        setTimeout(() => (window.late = "over"), 200);
      }
      return answer;
    };
"""


def test_a_late_answer_does_not_overtake_that_to_a_later_save(home, url, page):
    plugin = declare(home, "1")
    opened(page, url, plugin)
    page.goto("about:blank")
    page.add_init_script(LATE)
    page.goto(url)
    page.wait_for_function("() => window.late === 'held'")
    plugin = declare(home, "2")
    expect(page.locator("#plugin")).to_have_text(plugin)
    page.wait_for_function("() => window.late === 'over'")
    expect(page.locator("#plugin")).to_have_text(plugin)
