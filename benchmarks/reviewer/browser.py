"""A page in Debian's Chromium: its size and times, axe-core, and pictures.

    uv run --with playwright python benchmarks/reviewer/browser.py PAGE --out DIR --axe axe.min.js

``--only PATH`` chooses one file in the filter before axe-core runs, which takes minutes for
thousands of sites; ``--docs DIR`` makes the pictures of the
documentation in three sizes. Says so and exits with 0 where Chromium is not installed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

SIZES = {"desktop": (1280, 900), "tablet": (820, 1100), "phone": (390, 844)}
FILTER = """() => new Promise(done => {
  const search = document.getElementById("search"), start = performance.now();
  search.value = "kind"; search.dispatchEvent(new Event("input", {bubbles: true}));
  const script = performance.now() - start;
  requestAnimationFrame(() => setTimeout(() => done([script, performance.now() - start])));
})"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
AXE = """async () => (await axe.run())
  .violations.map(v => [v.id, v.nodes.length, v.nodes[0].html])"""
CHOOSE = """path => {
  const select = document.querySelector("select[data-key=file]");
  select.value = path; select.dispatchEvent(new Event("input", {bubbles: true}));
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--docs", type=Path)
    asked = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit(print("Chromium is not installed here: the page was not opened."))
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  not where none is

    address = asked.page.resolve().as_uri()
    print(f"{asked.page.name}: {asked.page.stat().st_size:,} bytes")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_timeout(500)
        script, drawn = page.evaluate(FILTER)
        paint = page.evaluate(PAINT)
        print(f"first paint {paint:.0f} ms, filter {script:.0f} ms, drawn {drawn:.0f} ms")
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme, bypass_csp=True)
            page = context.new_page()
            page.goto(address)
            if asked.axe:
                page.evaluate(asked.axe.read_text("utf-8"))
                if asked.only:
                    page.evaluate(CHOOSE, asked.only)
                started_at = time.monotonic()
                found = page.evaluate(AXE)
                took = time.monotonic() - started_at
                heading = f"axe-core, {scheme}: {len(found)} violations, {took:.0f} s"
                print(heading, *found, sep="\n  ", flush=True)
            for name, (width, height) in SIZES.items() if asked.out else ():
                page.set_viewport_size({"width": width, "height": height})
                page.screenshot(path=asked.out / f"{name}-{scheme}.png")
        if asked.out:
            page.emulate_media(media="print", color_scheme="light")
            page.set_viewport_size({"width": 794, "height": 1123})
            page.screenshot(path=asked.out / "print.png")
        for name, (width, height) in SIZES.items() if asked.docs else ():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address)
            page.screenshot(path=asked.docs / f"report-{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
