"""The page of a real run in a real browser: it loads nothing, its controls work, and it fits a phone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
import small
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from selfsown import loop
from selfsown.html.report import write
from selfsown.recipe.recipe import Recipe

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="there is no Chromium with its driver on this machine"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = str(CHROMIUM)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=Service(str(DRIVER))) as driver:
        yield driver


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("browser") / "run"
    loop.run(Recipe.load("first", [*small.FIRST, "generations=1"]), folder)
    return write(folder).as_uri()


@pytest.fixture
def opened(browser: webdriver.Chrome, address: str) -> webdriver.Chrome:
    wide(browser, 1280)
    browser.get(address)
    return browser


def wide(browser: webdriver.Chrome, width: int) -> None:
    shape = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)


def shown(browser: webdriver.Chrome) -> list[str]:
    """The text of each row to be seen; the page must count as many."""
    every = "Array.from(document.querySelectorAll('#list > li'))"
    rows = browser.execute_script(f"return {every}.filter((row) => row.checkVisibility()).map((row) => row.innerText)")
    assert browser.find_element(By.ID, "count").text.startswith(f"{len(rows)} of ")
    return list(map(str, rows))


def test_no_error_and_no_request(opened: webdriver.Chrome, address: str) -> None:
    events = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {url for url in sent if not url.startswith("data:")} == {address}
    assert opened.get_log("browser") == []


def test_search_and_filters_narrow_the_rows_by_keyboard(opened: webdriver.Chrome) -> None:
    every = shown(opened)
    identity = opened.find_element(By.CSS_SELECTOR, "#list > li code").text
    search = opened.find_element(By.ID, "query")
    search.send_keys(identity.upper())
    assert [identity in row for row in shown(opened)] == [True]
    search.send_keys(Keys.CONTROL, "a")
    search.send_keys(Keys.DELETE)
    assert shown(opened) == every
    opened.find_element(By.ID, "status").send_keys("rejected")
    rejected = shown(opened)
    assert 0 < len(rejected) < len(every)
    assert all("rejected" in row for row in rejected)
    opened.find_element(By.ID, "generation").send_keys("1")
    assert shown(opened) == rejected
    search.send_keys("no such row anywhere")
    assert shown(opened) == []


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
