"""Reloading from the page, in a real browser: skipped where there is none (see test_page_browser)."""

from __future__ import annotations

from typing import Any

import pytest

from .running import Running, click, wait_for
from .test_page_browser import browser, pytestmark, text_of, watched  # noqa: F401
from .test_reload import BAD, MORE, RULES, change, tenant

Watched = tuple[Any, Running]


@pytest.fixture
def running(quiet: Running) -> Running:
    """A service that does not look at files by itself."""
    return quiet


def versions(watched: Watched) -> tuple[Any, Running]:  # noqa: F811
    """The page on versions."""
    found, running = watched
    found.get(f"{running.service.monitor_url}/tenants/shop/versions")
    return found, running


def press(found: Any, name: str) -> None:
    """Presses a button by keyboard."""
    buttons = found.find_elements("css selector", "main button")
    next(each for each in buttons if each.accessible_name == name).send_keys("\n")


def test_reload_bad_rules_and_see_the_diagnostics(watched: Watched) -> None:  # noqa: F811
    found, running = versions(watched)
    change(running, tenant(BAD))
    press(found, "Reload")
    wait_for(lambda: "bad rules" in text_of(found, "#last"))
    assert text_of(found, "#message") == "the rules have 1 error"
    excerpt = text_of(found, "#last pre.diagnostic.error")
    assert "error[E" in excerpt and "select nothing from Click" in excerpt and "^^^^^^^" in excerpt
    assert text_of(found, "#runs") == "Version 1 runs."
    change(running, tenant(MORE))
    press(found, "Reload")
    wait_for(lambda: text_of(found, "#runs") == "Version 2 runs.")
    assert "reloaded" in text_of(found, "#last") and not found.find_elements("css selector", "#last pre.error")
    assert ["422" in entry["message"] for entry in found.get_log("browser")] == [True]


def test_what_would_be_lost_is_shown_and_done_all_the_same(watched: Watched) -> None:  # noqa: F811
    found, running = versions(watched)
    change(running, tenant("@Name('clicks') @UpdateCounter('clicks') select 1 from Click;", sub_sessions=[]))
    press(found, "Reload")
    wait_for(lambda: "would lose something" in text_of(found, "#message"))
    assert "metadata.landing" in text_of(found, "#last") and "Visit › Cart" in text_of(found, "#last")
    press(found, "Go on all the same")
    found.switch_to.alert.accept()
    wait_for(lambda: text_of(found, "#runs") == "Version 2 runs.")
    found.get_log("browser")


def test_back_to_a_version_by_keyboard(watched: Watched) -> None:  # noqa: F811
    found, running = versions(watched)
    change(running, tenant(f"{RULES}// the same, but for a comment\n"))
    press(found, "Reload")
    wait_for(lambda: text_of(found, "#runs") == "Version 2 runs.")
    press(found, "Go back to version 1")
    found.switch_to.alert.accept()
    wait_for(lambda: text_of(found, "#runs") == "Version 1 runs.")
    wait_for(lambda: text_of(found, "#versions tr:last-child th") == "1 runs")
    assert found.switch_to.active_element.get_attribute("id") == "versions", "the button is gone, its place is not"


def test_a_plan(watched: Watched) -> None:  # noqa: F811
    found, running = versions(watched)
    change(running, tenant(MORE))
    found.find_element("link text", "What would a reload do?").send_keys("\n")
    wait_for(lambda: found.current_url.endswith("/plan"))
    assert "session.more" in text_of(found, "main") and "Open sessions lose nothing." in text_of(found, "main")


def test_a_shadow_is_compared_and_ended(watched: Watched) -> None:  # noqa: F811
    found, running = versions(watched)
    change(running, tenant(MORE))
    press(found, "Try as a shadow")
    wait_for(lambda: "Version 2 beside version 1" in text_of(found, "#shadow"))
    running.send([click("ann"), click("eve")])
    wait_for(lambda: "event: v" in text_of(found, "#shadow"))
    press(found, "End the shadow")
    wait_for(lambda: "None:" in text_of(found, "#shadow"))


def test_nothing_sticks_out_and_all_has_a_name(watched: Watched) -> None:  # noqa: F811
    found, running = versions(watched)
    change(running, tenant(BAD))
    press(found, "Reload")
    wait_for(lambda: "bad rules" in text_of(found, "#last"))
    found.get_log("browser")
    size = {"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    found.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for path in ("versions", "plan"):
        found.get(f"{running.service.monitor_url}/tenants/shop/{path}")
        assert found.execute_script("return document.documentElement.scrollWidth") <= 380, path
        for element in found.find_elements("css selector", "a, button, summary"):
            assert element.accessible_name, element.get_attribute("outerHTML")
    found.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
