"""The page of workers in a real browser: skipped where there is none."""

from __future__ import annotations

from typing import Any

from tests.service.running import click, wait_for
from tests.service.test_page_browser import browser, pytestmark, text_of  # noqa: F401

from .hosts import Fleet


def test_workers_are_followed_and_opened(browser: Any, fleet: Fleet) -> None:  # noqa: F811
    browser.get(f"{fleet.url}/")
    browser.find_element("link text", "Workers").click()
    assert text_of(browser, "#workers tr:nth-child(2) td") == "ready"
    fleet.send([click(fleet.users(1, 1)[0])])
    wait_for(lambda: text_of(browser, "#workers tr:nth-child(2) td:nth-of-type(6)") == "1")
    fleet.down(1)
    wait_for(lambda: text_of(browser, "#workers tr:nth-child(2) td") == "down")
    fleet.up(1)
    wait_for(lambda: text_of(browser, "#workers tr:nth-child(2) td") == "ready")
    browser.find_element("link text", "Worker 1").click()
    wait_for(lambda: browser.current_url == f"{fleet.url}/workers/1/")
    assert text_of(browser, "#connection") == "live"
    browser.find_element("css selector", "#tenants a").click()
    wait_for(lambda: browser.current_url == f"{fleet.url}/workers/1/tenants/shop")
    browser.find_element("css selector", ".actions button").click()
    wait_for(lambda: "Paused" in text_of(browser, "#message"))
    assert fleet.front.is_paused, "the front has paused all"
    browser.set_window_size(380, 800)
    browser.get(f"{fleet.url}/workers")
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    browser.set_window_size(1280, 900)
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    browser.get("about:blank")
    assert said == []
