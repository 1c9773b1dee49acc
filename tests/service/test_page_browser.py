"""The pages in a real browser: Debian's Chromium, driven by selenium. Skipped where one of them is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations, pairwise
from typing import Any

import pytest

from .running import TENANT, Running, click, wait_for

selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="no chromium with chromedriver here: apt-get install chromium-driver"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a screen."""
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def watched(browser: Any, running: Running) -> Iterator[tuple[Any, Running]]:
    """A browser beside a service; at the end nothing was said on its console."""
    browser.get("about:blank")  # away from the service of the test before, which is gone
    browser.get_log("browser")
    running.send([click("ann", cart="c1", page="/home"), click("bob", n=1)])
    yield browser, running
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    # No page asks on when its service is gone.
    browser.get("about:blank")
    assert [each for each in said if "404" not in each] == []


def text_of(browser: Any, css: str) -> str:
    """The text of an element."""
    # Asked for in one go, since what is live is replaced now and then.
    return str(browser.execute_script("return document.querySelector(arguments[0]).innerText.trim()", css))


def shown(browser: Any, css: str) -> list[dict[str, Any]]:
    """Place, size and text of the elements that are seen, from left to right."""
    script = """return [...document.querySelectorAll(arguments[0])].filter((each) => each.getClientRects().length)
        .map((each) => ({...each.getBoundingClientRect().toJSON(), text: each.textContent}))"""
    return sorted(browser.execute_script(script, css), key=lambda each: (each["top"], each["left"]))


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two elements cover each other."""
    beside = one["right"] <= other["left"] or other["right"] <= one["left"]
    return not (beside or one["bottom"] <= other["top"] or other["bottom"] <= one["top"])


@contextmanager
def screen(browser: Any, width: int) -> Iterator[None]:
    """Within: a screen of so many pixels."""
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_numbers_follow(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}/tenants/shop")
    assert text_of(browser, "#figures dd") == "2"
    assert text_of(browser, "#connection") == "live"
    browser.execute_script("window.same = true")
    running.send([click("eve")])
    wait_for(lambda: text_of(browser, "#figures dd") == "3")
    assert browser.execute_script("return window.same"), "the page was not loaded again"


def test_updates_can_be_paused(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}/tenants/shop")
    button = browser.find_element("id", "updates")
    button.click()
    assert (button.text, button.get_attribute("aria-pressed")) == ("Resume updates", "true")
    running.send([click("eve")])
    button.click()
    wait_for(lambda: text_of(browser, "#figures dd") == "3")


def test_a_session_is_searched_opened_and_ended_by_keyboard(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}/tenants/shop/sessions")
    browser.find_element("css selector", "body").send_keys("/")
    browser.switch_to.active_element.send_keys("an\n")
    wait_for(lambda: "key=an" in browser.current_url)
    rows = browser.find_elements("css selector", "#sessions th a")
    assert [row.text for row in rows] == ["ann"]
    rows[0].send_keys("\n")
    wait_for(lambda: browser.find_elements("css selector", "svg.timeline"))
    assert "landing" in text_of(browser, "#values") and '"/home"' in text_of(browser, "#values")
    assert "Cart" in text_of(browser, "#kinds")
    browser.find_element("css selector", "button.danger").send_keys("\n")
    browser.switch_to.alert.accept()
    wait_for(lambda: "is not live any more" in text_of(browser, "#message"))
    assert [each["_snrs"] for each in running.out_of("VisitEnd")] == ["forced"]


def test_what_rules_do_to_a_session_is_shown_while_its_page_is_open(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}/tenants/shop/session?profile=Visit&key=ann")
    assert "Nothing has come since this page was opened" in text_of(browser, "#trace")
    running.now_ms += 2_000
    running.send([click("bob"), click("ann", n=0), click("ann", cart="c2")])
    wait_for(lambda: "Cart began" in text_of(browser, "#trace"))
    assert len(browser.find_elements("css selector", "#trace details")) == 2
    browser.find_element("css selector", "#trace summary").click()
    opened = text_of(browser, "#trace details[open]")
    assert "session.clicks" in opened and "needs n > 1000000" in opened and "sent" in opened
    running.now_ms += 3_500  # the first cart ends, while the visit goes on
    running.send([click("ann")])
    wait_for(lambda: "Cart ended" in text_of(browser, "#trace"))
    assert "Cart began" in text_of(browser, "#trace details[open]"), "what was opened stays open"
    assert len(browser.find_elements("css selector", "svg.timeline .wide circle.event")) == 3
    running.now_ms += 20_000
    wait_for(lambda: "is not live any more" in text_of(browser, "#message"))
    assert "Visit ended" in text_of(browser, "#trace")


@pytest.fixture(params=[1280, 360])
def long_gap(request: pytest.FixtureRequest, browser: Any, serve: Callable[..., Running]) -> Iterator[tuple[Any, str]]:
    """The page of a session whose gap is half an hour and whose events are seconds apart, and what is drawn for it."""
    (profile,) = TENANT["profiles"]
    running = serve({**TENANT, "profiles": [{**profile, "gap": "30m"}]})
    page = f"{running.service.monitor_url}/tenants/shop/session?profile=Visit&key=ann"
    with screen(browser, request.param):
        running.send([click("ann", page="/home")])
        browser.get(page)
        for later_ms in (2_000, 1_500, 40, 3_000):
            running.now_ms += later_ms
            running.send([click("ann", cart="c1")])
        running.now_ms += 1_000
        browser.get(page)
        yield browser, "wide" if request.param > 640 else "narrow"


def test_events_are_apart_beside_a_long_gap(long_gap: tuple[Any, str]) -> None:
    browser, drawn = long_gap
    marks = shown(browser, f"svg.timeline .{drawn} circle.event")
    visit = sorted((mark for mark in marks if mark["bottom"] < marks[-1]["top"]), key=lambda mark: mark["left"])
    assert len(visit) == 3 and all(later["left"] - earlier["right"] > 20 for earlier, later in pairwise(visit))
    assert [each["text"] for each in shown(browser, f".timeline .{drawn} .count")] == ["2", "2"], "40 ms apart"
    (wait,) = shown(browser, ".timeline .stretch")
    assert wait["text"] == "30 min" and wait["left"] > visit[-1]["right"]


def test_words_of_the_timeline_cover_nothing(long_gap: tuple[Any, str]) -> None:
    browser, drawn = long_gap
    words = shown(browser, ".timeline text:is(.name, .until, .stretch, .tick)")
    assert {"Visit ann", "due in 29 min 59 s", "Cart c1", "due in 4.0 s", "30 min", "0 s"} <= {
        each["text"] for each in words
    }
    width = browser.execute_script("return document.documentElement.clientWidth")
    assert all(each["left"] >= 0 and each["right"] <= width for each in words)
    assert [(a["text"], b["text"]) for a, b in combinations(words, 2) if overlap(a, b)] == []
    other = {"wide": "narrow", "narrow": "wide"}[drawn]
    assert shown(browser, f".timeline .{other} *") == [], "what is meant for another screen"


def test_the_timeline_is_told_to_who_does_not_see_it(long_gap: tuple[Any, str]) -> None:
    browser, _ = long_gap
    told = browser.find_element("css selector", "svg.timeline").accessible_name
    assert told.startswith("Timeline. Visit ann: 5 events in 6.5 s, due in 29 min 59 s; Cart c1: 4 events in 4.5 s")
    rows = [row.text.split() for row in browser.find_elements("css selector", "#kinds tr")]
    assert [row[-1] for row in rows] == ["5", "4"], "the table has the same numbers"


def test_an_open_rule_stays_open_while_its_count_follows(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}/tenants/shop/rules")
    summary = browser.find_element("css selector", "summary")
    summary.click()
    before = text_of(browser, "#matches-1")
    running.send([click("eve")])
    wait_for(lambda: text_of(browser, "#matches-1") != before)
    assert "select user as _pk_" in text_of(browser, "details[open] pre")


def test_the_intake_is_paused_and_resumed(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}/tenants/shop")
    pause, resume = browser.find_elements("css selector", ".actions button")
    pause.click()
    wait_for(lambda: text_of(browser, "#state") == "paused")
    assert text_of(browser, "#message") == "Paused: senders are told to wait."
    resume.click()
    wait_for(lambda: text_of(browser, "#state") == "running")


def test_a_service_that_goes_away_is_told(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}/")
    running.stop()
    wait_for(lambda: text_of(browser, "#connection") == "connection lost")
    browser.get_log("browser")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(scheme: str, watched: tuple[Any, Running]) -> None:
    browser, running = watched
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(f"{running.service.monitor_url}/tenants/shop")
    style = "return getComputedStyle(document.body)"
    ground = browser.execute_script(f"{style}.backgroundColor")
    assert ground == {"light": "rgb(246, 247, 248)", "dark": "rgb(14, 17, 20)"}[scheme]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_nothing_sticks_out_on_a_narrow_screen(watched: tuple[Any, Running]) -> None:
    browser, running = watched
    pages = ("", "/sessions", "/session?profile=Visit&key=ann", "/rules", "/dead-letters", "/config")
    with screen(browser, 360):
        for path in ("", *(f"/tenants/shop{page}" for page in pages)):
            browser.get(f"{running.service.monitor_url}{path}")
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 360, path


@pytest.mark.parametrize("path", ["", "/tenants/shop", "/tenants/shop/sessions", "/tenants/shop/rules"])
def test_what_can_be_used_has_a_name(path: str, watched: tuple[Any, Running]) -> None:
    browser, running = watched
    browser.get(f"{running.service.monitor_url}{path}")
    for element in browser.find_elements("css selector", "a, button, input:not([type=hidden]), select, summary"):
        assert element.accessible_name, element.get_attribute("outerHTML")
    headings = [each.tag_name for each in browser.find_elements("css selector", "h1, h2, h3")]
    assert headings.count("h1") == 1 and headings[0] == "h1"
    assert len(browser.find_elements("css selector", "main")) == 1
