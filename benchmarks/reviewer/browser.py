"""A page in Debian's Chromium: its size and times, axe-core, and pictures.

    uv run --with playwright python benchmarks/reviewer/browser.py PAGE --out DIR --axe axe.min.js

Times are medians of three loads. axe-core looks at every element of the document at once, so
``--parts 20`` runs it over 20 documents: each has the frame of the page and every 20th of its
files, or of the blocks and sites of its one file; ``--every 10`` takes each tenth of these
documents alone. It sees all of them laid out: where nothing is
laid out before it is scrolled to, places are estimates that lie on one another.

``--docs DIR`` makes the pictures of the documentation in three sizes. Says so and exits with 0
where Chromium is not installed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

SIZES = {"desktop": (1280, 900), "tablet": (820, 1100), "phone": (390, 844)}
FILTER = """async () => {
  const search = document.getElementById("search"), times = [];
  const rare = document.querySelector(".item a")?.textContent ?? "";
  for (const text of ["no site has this", rare, "1", ""]) {
    const start = performance.now();
    search.value = text; search.dispatchEvent(new Event("input", {bubbles: true}));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
  }
  return times;
}"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
LAYS = ("no site", "a few", "many", "all again")
LAID_OUT = ":is(.file, .group, .block, .part) { content-visibility: visible !important }"
AXE = """async ([part, parts]) => {
  let units = [...document.querySelectorAll(".file, .group")];
  if (units.length < parts) units = [...document.querySelectorAll(".block, .item")];
  const away = units.filter((_, at) => at % parts !== part)
    .map(unit => [unit, document.createComment("")]);
  for (const [unit, place] of away) unit.replaceWith(place);
  const {violations} = await axe.run(document, {resultTypes: ["violations"]});
  for (const [unit, place] of away) place.replaceWith(unit);
  return violations.map(v => [v.id, v.nodes.length, v.nodes[0].html]);
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--schemes", nargs="*", default=["light", "dark"])
    parser.add_argument("--every", type=int, default=1)
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
        runs = [_times(browser, address) for _ in range(3)]
        for name, times in zip(("first paint", *LAYS), zip(*runs, strict=True), strict=True):
            print(f"{name}: {sorted(times)[1]:.0f} ms of {[round(each) for each in times]}")
        for scheme in asked.schemes:
            context = browser.new_context(color_scheme=scheme, bypass_csp=True)
            page = context.new_page()
            page.goto(address)
            if asked.axe:
                page.add_style_tag(content=LAID_OUT)
                page.evaluate(asked.axe.read_text("utf-8"))
                start = time.monotonic()
                violations = [
                    each
                    for part in range(0, asked.parts, asked.every)
                    for each in page.evaluate(AXE, [part, asked.parts])
                ]
                took = time.monotonic() - start
                heading = f"axe-core, {scheme}: {len(violations)} violations, {took:.0f} s"
                print(heading, *violations, sep="\n  ", flush=True)
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


def _times(browser: Any, address: str) -> tuple[float, ...]:
    """Return the first paint of a fresh page, then the filter until drawn, each in ms."""
    page = browser.new_page()
    page.goto(address)
    page.wait_for_timeout(500)
    times = page.evaluate(FILTER)
    paint = page.evaluate(PAINT)
    page.close()
    return (paint, *times)


if __name__ == "__main__":
    main()
