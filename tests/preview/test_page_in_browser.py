"""The page in Debian's Chromium; `tests/conftest.py` leaves this file out where there is none."""

from __future__ import annotations

import shutil

import pytest
from awkward import ROOT, everything
from hostile_report import hostile_report
from playwright.sync_api import sync_playwright
from report_builders import file_change, finding, report, root_report, source

from awaken.preview.html.report_page import write
from awaken.preview.streams.output import Asked

pytestmark = pytest.mark.slow
FOCUSED = "() => document.activeElement.id"
SHOWN = """() => [...document.querySelectorAll(".item")]
    .filter(item => item.checkVisibility()).map(item => item.id)"""
CHOOSE = """(select, value) => {
    select.value = value;
    select.dispatchEvent(new Event("input", {bubbles: true}));
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as started:
        chromium = shutil.which("chromium")
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(tmp_path):
    file = tmp_path / "report.html"
    file.write_bytes(b"".join(write(everything(), Asked("diff", ROOT, again="awaken diff"))))
    return file.as_uri()


@pytest.fixture
def page(browser, address):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        yield page


def test_j_and_k_walk_over_the_sites_and_stop_at_the_ends(page):
    sites = page.evaluate(SHOWN)

    walked = []
    for key in "jjkkj":
        page.keyboard.press(key)
        walked.append(page.evaluate(FOCUSED))

    assert walked == [sites[0], sites[1], sites[0], sites[0], sites[1]]


def test_slash_searches_and_escape_ends_it(page):
    before = page.evaluate(SHOWN)
    page.keyboard.press("/")
    assert page.evaluate(FOCUSED) == "search"

    page.keyboard.type("100%.py")
    assert 0 < len(page.evaluate(SHOWN)) < len(before)
    page.keyboard.press("Escape")

    assert page.evaluate(SHOWN) == before


@pytest.mark.parametrize("key", ["rule", "level", "file", "reason"])
def test_each_filter_leaves_its_sites_alone(page, key):
    every = page.evaluate(SHOWN)
    select = page.locator(f"select[data-key={key}]")
    values = select.locator("option").evaluate_all("options => options.map(o => o.value)")

    found = []
    for value in filter(None, values):
        select.evaluate(CHOOSE, value)
        shown = page.evaluate(SHOWN)
        assert shown, value
        found += shown

    assert len(found) == len(set(found)), "a site has one value"
    assert set(found) == set(every) or key == "reason"


def test_the_filter_reaches_into_every_list_of_many_sites(browser, tmp_path):
    files = [source(f"m{n}.py", b"".join(b"q%d()\n" % k for k in range(120))) for n in range(2)]
    few = [source(f"n{n}.py", b"q()\n") for n in range(60)]
    changes = [
        file_change(
            file.path,
            file.text,
            file.text + b"x = 1\n",
            tuple(finding(file, line.decode()) for line in file.text.splitlines()),
        )
        for file in [*files, *few]
    ]
    page_file = tmp_path / "many.html"
    many = report(root_report(ROOT, *changes))
    page_file.write_bytes(b"".join(write(many, Asked("diff", ROOT, again="awaken diff"))))
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(page_file.as_uri())
        every = page.evaluate(SHOWN)
        assert len(every) == 300
        for text, number in (("m1.py:117", 1), ("n59.py", 1), ("m0.py:", 120), ("no site", 0)):
            page.locator("#search").fill(text)
            assert len(page.evaluate(SHOWN)) == number, text
            assert page.locator("#shown").inner_text().startswith(f"{number} of 300 sites")
        assert page.locator(".file:visible, .part:visible").count() == 0
        page.locator("#search").fill("")
        assert page.evaluate(SHOWN) == every


def test_what_was_looked_at_is_remembered(page):
    page.keyboard.press("j")
    page.keyboard.press("x")
    site = page.evaluate(FOCUSED)
    # Chromium keeps what a page stores in another process, which may still be writing it.
    for _ in range(20):
        page.reload()
        if page.locator(".seen").count():
            break

    assert page.locator(".seen").evaluate_all("items => items.map(i => i.id)") == [site]
    page.get_by_label("Only what I").check()
    assert site not in page.evaluate(SHOWN)


def test_without_script_everything_is_there(browser, address):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)

        hidden = page.locator(".item:not(:visible)").count()
        assert page.locator(".item").count() > 0
        assert hidden == 0
        assert not page.locator("#filters").is_visible()


def test_nothing_of_a_program_runs(browser, tmp_path):
    file = tmp_path / "hostile.html"
    text = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    file.write_bytes(b"".join(write(hostile_report(text), Asked("diff", ROOT, again=text))))
    with browser.new_context() as context:
        page, said = context.new_page(), []
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: said.append(request.url))
        page.goto(file.as_uri())

        assert said == [file.as_uri()]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_its_window(browser, address, width):
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        page.goto(address)

        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
