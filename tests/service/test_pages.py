"""The pages without a browser: what they say, that no event becomes markup, and that they need nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from runtime.service.charts import area_chart, nice_top
from runtime.service.facts import sojourn_version

from .running import NDJSON, TENANT, Running, click

PAGES = ("", "/sessions", "/rules", "/versions", "/plan", "/dead-letters", "/config")
HOSTILE = "<script>alert(1)</script>\"'&"


class Outline(HTMLParser):
    """Ids, links and text of a page, and how its elements nest."""

    _VOID = ("meta", "link", "input", "img", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self._VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.targets.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(running: Running, path: str) -> Outline:
    """A page, which is sound."""
    response = running.monitor.get(path)
    assert response.status_code == 200, response.text
    outline = Outline(response.text)
    assert outline.open == []
    assert len(set(outline.ids)) == len(outline.ids)
    return outline


@pytest.fixture
def busy(running: Running) -> Running:
    """A service that has seen a few things."""
    running.send([click("ann", cart="c1", page="/home"), click("bob", n=0)])
    running.ingest.post("/v1/events/shop", content=b'{"user": 7}\n', headers=NDJSON)
    return running


def test_the_overview(busy: Running) -> None:
    text = page(busy, "/").text
    assert re.search(r"Live sessions\s*2", text)
    assert "shop" in text and "running" in text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_alone(path: str, busy: Running) -> None:
    outline = page(busy, f"/tenants/shop{path}")
    own = [target for target in outline.targets if not target.startswith("#")]
    assert all(target.startswith(("/", "?")) for target in own), "nothing is fetched from elsewhere"
    assert "style" not in outline.tags and outline.tags.count("script") == 1
    for target in own:
        assert busy.monitor.get(target).status_code == 200, target


def test_what_a_tenant_does(busy: Running) -> None:
    text = page(busy, "/tenants/shop").text
    assert "Events a second" in text and "Visit" in text and "Cart" in text
    assert "POST /v1/events/shop" in text


def test_a_tenant_without_events_says_how_to_send_some(running: Running) -> None:
    assert "No event has come yet." in page(running, "/tenants/shop").text
    running.send([click("ann")])
    assert "No event has come yet." not in page(running, "/tenants/shop").text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_which_version_of_sojourn_it_is(path: str, running: Running) -> None:
    assert f"Sojourn {sojourn_version()} · running since" in page(running, f"/tenants/shop{path}").text


def test_a_session_is_found_and_opened(busy: Running) -> None:
    found = page(busy, "/tenants/shop/sessions?profile=Visit&key=an")
    assert "ann" in found.text and "bob" not in found.text
    (link,) = [target for target in found.targets if "/session?" in target]
    opened = page(busy, link)
    assert re.search(r'landing\s*"/home"', opened.text)
    assert re.search(r"clicks\s*1", opened.text)
    assert "Cart" in opened.text and "c1" in opened.text
    assert opened.tags.count("rect") == 4, "what was and what is due, of the session and of its cart"


def test_rules_with_coverage(busy: Running) -> None:
    text = page(busy, "/tenants/shop/rules").text
    assert re.search(r"4 of 6\s*rules have matched", text)
    assert "RuleError" in text
    assert "@UpdateCounter('none')" in text


def test_dead_letters_with_reasons(busy: Running) -> None:
    text = page(busy, "/tenants/shop/dead-letters").text
    assert "bad_type" in text and '{"user": 7}' in text and "Expected `str | null`" in text


def test_nothing_of_an_event_becomes_markup(running: Running) -> None:
    running.send([click(HOSTILE, cart=HOSTILE, page=HOSTILE)])
    running.ingest.post("/v1/events/shop", content=HOSTILE.encode() + b"\n", headers=NDJSON)
    session = f"/session?profile=Visit&key={quote(HOSTILE, safe='')}"
    for path in (*PAGES, session, f"/sessions?profile=Visit&key={quote(HOSTILE, safe='')}"):
        outline = page(running, f"/tenants/shop{path}")
        assert outline.tags.count("script") == 1
    assert HOSTILE in page(running, f"/tenants/shop{session}").text


def test_a_tenant_may_have_an_odd_name(serve: Callable[..., Running]) -> None:
    running = serve({**TENANT, "tenant": "a b?&#ü"})
    link = next(target for target in page(running, "/").targets if target.startswith("/tenants/"))
    assert "a b?&#ü" in page(running, link).text
    assert page(running, f"{link}/sessions").text


@pytest.mark.parametrize("path", ["/tenants/nobody", "/tenants/shop/session?profile=Visit&key=gone", "/nothing"])
def test_a_page_that_there_is_not(path: str, running: Running) -> None:
    response = running.monitor.get(path)
    assert response.status_code == 404
    assert "Back to the overview" in response.text


def test_browsers_are_told_to_run_nothing_else(running: Running) -> None:
    headers = running.monitor.get("/").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_charts_say_what_they_show() -> None:
    chart = area_chart([0, 5, 3], "Events a second")
    assert 'aria-label="Events a second over the last five minutes: now 3, at most 5"' in chart
    assert [nice_top(value) for value in (0, 1, 1.5, 3, 7, 99, 101)] == [1, 1, 2, 5, 10, 100, 200]
