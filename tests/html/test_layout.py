"""Every page on a phone and on a wide screen, light and dark: nothing overflows, and no words lie on others."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import folders
import made
import pytest
from chromium import needs_chromium, wide
from command import run_in_process
from selenium import webdriver

from selfsown.html.report import write, write_made
from selfsown.run_folder import RunFolder

pytestmark = [pytest.mark.slow, needs_chromium]
PAGES = ("run", "make", "preview", "audit", "compare", "prove")
# Pairs of texts that lie on one another by more than a pixel: words of drawings, and large numbers with their notes.
OVERLAPS = """
const words = "svg text, .facts dt, .large, .facts .note, .bars td, .bars th, h1";
const shown = Array.from(document.querySelectorAll(words))
  .filter((each) => each.checkVisibility() && each.textContent.trim());
const box = (each) => {
  if (each.closest("svg")) return each.getBoundingClientRect();
  const range = document.createRange();
  range.selectNodeContents(each);
  return range.getBoundingClientRect();
};
const boxes = shown.map((each) => [each.textContent.trim(), box(each)])
  .filter(([_, rect]) => rect.width && rect.height);
const pairs = [];
boxes.forEach(([name, a], index) => boxes.slice(index + 1).forEach(([other, b]) => {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width > 1 && height > 2) pairs.push(`${name} | ${other}`);
}));
return pairs;
"""
# Words beyond the edge of the screen, and cells whose words lie beyond their own edge.
CUT = """
const beyond = Array.from(document.querySelectorAll("svg text")).filter((each) => each.checkVisibility())
  .filter((each) => each.getBoundingClientRect().right > innerWidth || each.getBoundingClientRect().left < 0);
const cells = Array.from(document.querySelectorAll(".bars td, .bars th, .facts div, h1, .lead p"))
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth);
return [...beyond, ...cells].map((each) => each.textContent.trim());
"""
# The contrast of words with the paper: 4.5 is what WCAG asks for.
FAINT = """
const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const light = (color) => {
  paint.fillStyle = color;
  paint.fillRect(0, 0, 1, 1);
  const [r, g, b] = Array.from(paint.getImageData(0, 0, 1, 1).data.slice(0, 3), (part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = light(getComputedStyle(document.documentElement).backgroundColor);
return Array.from(document.querySelectorAll("svg text, p, td, th, dt, .large, .note, h1, h2, figcaption, summary"))
  .filter((each) => each.checkVisibility() && each.textContent.trim())
  .filter((each) => {
    const style = getComputedStyle(each);
    const ink = light(each.closest("svg") ? style.fill : style.color);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5;
  }).map((each) => each.textContent.trim());
"""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory, ran: Path) -> Mapping[str, str]:
    """Each kind of page, with long names and large numbers."""
    here = tmp_path_factory.mktemp("layout")
    rows = [made.judged(at, (at % 5) / 4, f"a reason of some length, number {at % 9}") for at in range(400)]
    rows += [made.row(400 + at).failed("the reply is no JSON") for at in range(30)]
    rows += [made.row(500 + at).rejected("decontaminate: near a held-out row") for at in range(30)]
    folder = made.folder(here / "made", rows)
    RunFolder(folder).write_rows("preview_rows", rows[:9])
    pages = {
        "run": write(ran),
        "make": write(folder),
        "preview": write_made(folder, here / "preview.html", is_preview=True),
        "audit": _audit_page(here),
        "compare": write(folders.comparison(here / "compared")),
        "prove": write(folders.proof(here / "proved")),
    }
    return {name: path.as_uri() for name, path in pages.items()}


def _audit_page(here: Path) -> Path:
    """Of rows that are in some respects worse than the real ones by far and in others better, so that marks lie
    beyond both edges of the drawing."""
    rng = random.Random(0)

    def text(words: int) -> str:
        return " ".join(f"word{int(words * rng.random() ** 2)}" for _ in range(20))

    real = [{"text": text(40), "spoken or written": rng.choice("ab")} for _ in range(400)]
    ours = [{"text": f"- {text(4000)}", "spoken or written": "a"} for _ in range(300)]
    for name, rows in (("real", [*real, *real[:200]]), ("synthetic", [*ours, *ours[:3]])):
        (here / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    options = ["--attribute", "spoken or written", "--html", "audit.html"]
    assert run_in_process(here, "audit", "synthetic.jsonl", "--against", "real.jsonl", *options).returncode == 4
    return here / "audit.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows_overlaps_or_is_faint(
    browser: webdriver.Chrome, addresses: Mapping[str, str], name: str, width: int, scheme: str
) -> None:
    wide(browser, width)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(addresses[name])
    browser.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(OVERLAPS) == []
    assert browser.execute_script(CUT) == []
    assert browser.execute_script(FAINT) == []


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("name", PAGES)
def test_the_first_screen_has_the_result_in_words_and_one_large_number(
    browser: webdriver.Chrome, addresses: Mapping[str, str], name: str, width: int
) -> None:
    wide(browser, width)
    browser.get(addresses[name])
    headline, number = (
        browser.execute_script(f"return document.querySelector('{selector}').getBoundingClientRect().bottom")
        for selector in ("h1", ".large")
    )
    assert headline < number < 900
