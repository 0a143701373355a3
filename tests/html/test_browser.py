"""The page of a real run in a real browser: it loads nothing, its controls work, and it fits a phone."""

from __future__ import annotations

import json
from pathlib import Path

import made
import pytest
import small
from chromium import needs_chromium, wide
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from test_report import HOSTILE

from selfsown import loop
from selfsown.html.report import write
from selfsown.recipe.recipe import Recipe

PER_PAGE = 25  # rows
pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("browser") / "run"
    loop.run(Recipe.load("first", [*small.FIRST, "generations=1"]), folder)
    return write(folder).as_uri()


@pytest.fixture
def opened(browser: webdriver.Chrome, address: str) -> webdriver.Chrome:
    wide(browser, 1280)
    browser.get_log("performance")  # of pages that other tests opened
    browser.get_log("browser")
    browser.get(address)
    return browser


def shown(browser: webdriver.Chrome) -> list[str]:
    """The text of each row to be seen, which are the first of those that match."""
    every = "Array.from(document.querySelectorAll('#list > li'))"
    rows = browser.execute_script(f"return {every}.filter((row) => row.checkVisibility()).map((row) => row.innerText)")
    assert len(rows) == min(matching(browser), PER_PAGE)
    return list(map(str, rows))


def matching(browser: webdriver.Chrome) -> int:
    """As many as the page says to match, aloud."""
    count = browser.find_element(By.ID, "count")
    assert count.get_attribute("aria-live") == "polite"
    return int(count.text.split()[0].replace(",", ""))


def test_no_error_and_no_request(opened: webdriver.Chrome, address: str) -> None:
    events = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {url for url in sent if not url.startswith("data:")} == {address}
    assert opened.get_log("browser") == []


def test_search_and_filters_narrow_the_rows_by_keyboard(opened: webdriver.Chrome) -> None:
    every = matching(opened)
    identity = opened.find_element(By.CSS_SELECTOR, "#list > li code").text
    search = opened.find_element(By.ID, "query")
    search.send_keys(identity.upper())
    assert [identity in row for row in shown(opened)] == [True]
    search.send_keys(Keys.CONTROL, "a")
    search.send_keys(Keys.DELETE)
    assert matching(opened) == every
    opened.find_element(By.ID, "by-status").send_keys("rejected")
    rejected = matching(opened)
    assert 0 < rejected < every
    assert all("rejected" in row for row in shown(opened))
    search.send_keys("no such row anywhere")
    assert shown(opened) == []
    opened.find_element(By.CSS_SELECTOR, "button[type=reset]").send_keys(Keys.ENTER)
    WebDriverWait(opened, 5).until(lambda page: matching(page) == every)


def test_rows_of_make_are_filtered_paged_and_copied(browser: webdriver.Chrome, tmp_path: Path) -> None:
    colours = ("red", "blue </select>", "grün")
    rows = [
        made.judged(at, float(at % 4 > 0), f"reason {at % 3}", metadata={"colour": colours[at % 3]}) for at in range(90)
    ]
    rows += [made.row(100 + at, answer=text).failed("an empty answer") for at, text in enumerate(HOSTILE)]
    wide(browser, 400)
    browser.get(write(made.folder(tmp_path / "made", rows)).as_uri())
    assert browser.title != "taken"
    assert matching(browser) == 96
    assert [row.split()[0] for row in shown(browser)] == ["kept"] * PER_PAGE
    more = browser.find_element(By.ID, "more")
    more.send_keys(Keys.ENTER)
    visible = "return Array.from(document.querySelectorAll('#list > li')).filter((row) => row.checkVisibility()).length"
    assert browser.execute_script(visible) == 2 * PER_PAGE
    focused = "return Array.from(document.querySelectorAll('#list > li')).indexOf(document.activeElement)"
    assert browser.execute_script(focused) == PER_PAGE, "reading goes on where the new rows begin"
    Select(browser.find_element(By.ID, "by-attribute")).select_by_value(f"colour={colours[1]}")
    assert matching(browser) == 30
    Select(browser.find_element(By.ID, "by-cause")).select_by_value("judge")
    assert matching(browser) == sum(at % 3 == 1 and at % 4 == 0 for at in range(90))
    assert all("rejected" in row and "reason 1" in row for row in shown(browser))
    browser.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    Select(browser.find_element(By.ID, "by-status")).select_by_value("failed")
    assert matching(browser) == len(HOSTILE)
    button = browser.find_element(By.CSS_SELECTOR, "#list > li:not([hidden]) .copy")
    identity = browser.find_element(By.CSS_SELECTOR, "#list > li:not([hidden]) code.id").text
    assert button.get_attribute("aria-label") == f"Copy the id {identity}"
    button.send_keys(Keys.ENTER)
    WebDriverWait(browser, 5).until(lambda _: button.text in ("Copied", "Selected"))
    assert browser.execute_script("return getSelection().toString()") == identity
    browser.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_theme_follows_the_system_and_the_button(opened: webdriver.Chrome) -> None:
    def paper() -> str:
        return str(opened.execute_script("return getComputedStyle(document.documentElement).backgroundColor"))

    def ink() -> str:
        return str(opened.execute_script("return getComputedStyle(document.querySelector('svg text')).fill"))

    def prefer(scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    prefer("light")
    light = paper(), ink()
    prefer("dark")
    dark = paper(), ink()
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    button = opened.find_element(By.ID, "theme")
    assert button.text == "Light theme"
    button.send_keys(Keys.ENTER)
    assert ((paper(), ink()), button.text) == (light, "Dark theme")
    button.send_keys(Keys.ENTER)
    assert ((paper(), ink()), button.text) == (dark, "Light theme")


@pytest.mark.parametrize("width", [320, 400, 1600])
def test_nothing_is_wider_than_the_screen(opened: webdriver.Chrome, width: int) -> None:
    wide(opened, width)
    opened.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    sizes = opened.execute_script(
        "return Array.from(document.querySelectorAll('svg text'), (each) => each.getBoundingClientRect().height)"
        ".filter((height) => height > 0)"
    )
    assert sizes
    assert min(sizes) > 8


def test_without_scripts_every_row_can_be_read(browser: webdriver.Chrome, address: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(address)
    rows = browser.find_elements(By.CSS_SELECTOR, "#list > li")
    assert rows
    assert all(row.is_displayed() for row in (rows[0], rows[-1]))
    assert not browser.find_element(By.ID, "filter").is_displayed()
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
