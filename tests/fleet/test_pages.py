"""The pages of a fleet: those of a service with what all workers know, one of the workers, and each worker's own."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.service.running import click
from tests.service.test_pages import PAGES, page

from .hosts import Fleet


@pytest.fixture
def busy(fleet: Fleet) -> Fleet:
    """Two visits in each worker."""
    fleet.send([click(user, cart="c", page="/home") for number in (0, 1) for user in fleet.users(number, 2)])
    return fleet


def test_the_overview_is_of_all(busy: Fleet) -> None:
    overview = page(busy, "/")
    assert re.search(r"Live sessions\s*4", overview.text)
    assert "/workers" in overview.targets


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_alone(path: str, busy: Fleet) -> None:
    outline = page(busy, f"/tenants/shop{path}")
    for target in outline.targets:
        if not target.startswith("#"):
            assert busy.monitor.get(target, follow_redirects=True).status_code == 200, target


@pytest.mark.parametrize("number", [0, 1])
def test_a_session_is_found_and_opened(number: int, busy: Fleet) -> None:
    user = busy.users(number, 1)[0]
    found = page(busy, f"/tenants/shop/sessions?profile=Visit&key={user}")
    link = next(target for target in found.targets if target.endswith(f"&key={user}"))
    assert re.search(r'landing\s*"/home"', page(busy, link).text)


def test_a_shadow_is_offered_and_shown(busy: Fleet) -> None:
    versions = busy.monitor.get("/tenants/shop/versions").text
    assert 'data-post="/api/v1/tenants/shop/shadow"' in versions and "None:" in versions
    assert busy.monitor.post("/api/v1/tenants/shop/shadow", json={}).status_code == 200
    for root, sessions in (("", 4), ("/workers/1", 2)):
        shown = page(busy, f"{root}/tenants/shop/versions").text
        assert re.search(rf"Version 1 beside version 1 since .*live sessions: {sessions}\.", shown)


def test_the_workers(busy: Fleet) -> None:
    workers = page(busy, "/workers")
    assert re.search(r"Worker 0\s*ready\s*1000\s*0\s*[\d.]+\s*2\s*2\s*0", workers.text)
    assert {"/workers/0/", "/workers/1/"} <= set(workers.targets)
    busy.down(1)
    workers = page(busy, "/workers")
    assert re.search(r"Worker 1\s*down\s*1001\s*1\s*–\s*–\s*–", workers.text)
    assert "/workers/1/" not in workers.targets


def test_a_worker_that_does_not_answer_is_told_on_every_page(busy: Fleet) -> None:
    busy.down(1)
    assert "worker 1 does not answer" in page(busy, "/").text
    for path in PAGES:
        assert "worker 1 does not answer" in page(busy, f"/tenants/shop{path}").text, path
    response = busy.monitor.get(f"/tenants/shop/session?profile=Visit&key={busy.users(1, 1)[0]}")
    assert response.status_code == 503
    assert "worker 1, whose session this is, does not answer" in response.text


def test_with_nobody_there_are_pages_all_the_same(busy: Fleet) -> None:
    for number in (0, 1):
        busy.down(number)
    for path in PAGES:
        response = busy.monitor.get(f"/tenants/shop{path}")
        assert response.status_code == (503 if path == "/plan" else 200), path


@pytest.mark.parametrize("path", ["", *(f"tenants/shop{each}" for each in PAGES)])
def test_a_workers_own_pages_lead_to_its_own(path: str, busy: Fleet) -> None:
    outline = page(busy, f"/workers/1/{path}")
    own = [target for target in outline.targets if target.startswith("/")]
    assert all(target.startswith("/workers") for target in own)
    for target in own:
        assert busy.monitor.get(target).status_code == 200, target


def test_a_worker_shows_what_it_has_itself(busy: Fleet) -> None:
    assert re.search(r"Live sessions\s*2", page(busy, "/workers/1/").text)
    assert busy.monitor.get("/workers/1/api/v1/service").json()["tenants"][0]["events"] == 2
    assert "Worker 1 of several" in page(busy, "/workers/1/").text
    css = busy.monitor.get("/workers/1/static/app.css")
    assert css.headers["content-type"].startswith("text/css")
    again = busy.monitor.get("/workers/1/static/app.css", headers={"If-None-Match": css.headers["etag"]})
    assert again.status_code == 304


def test_buttons_on_a_workers_page_act_on_all(busy: Fleet) -> None:
    posts = re.findall(r'data-post="([^"]+)"', busy.monitor.get("/workers/1/tenants/shop").text)
    assert posts == ["/api/v1/tenants/shop/pause", "/api/v1/tenants/shop/resume"]
    for method in ("POST", "DELETE"):
        given = {"json": {}} if method == "POST" else {}
        response = busy.monitor.request(method, "/workers/1/api/v1/tenants/shop/pause", **given)
        assert response.status_code == 405


def test_names_are_handed_on_as_they_came(busy: Fleet) -> None:
    odd = "a b/c?&#ü%"
    busy.send([click(odd)])
    owner = busy.front.owner("shop", "Visit", odd)
    found = page(busy, f"/workers/{owner}/tenants/shop/sessions?profile=Visit")
    link = next(target for target in found.targets if "key=a%20b" in target)
    assert odd in page(busy, link).text


def test_an_address_of_odd_bytes_is_answered(busy: Fleet) -> None:
    address = urlsplit(busy.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as raw:
        raw.sendall("GET /workers/1/ü?ü=ü HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert raw.makefile("rb").readline().split()[1] in (b"400", b"404")


def test_a_head_alone_can_be_asked_for(busy: Fleet) -> None:
    response = busy.monitor.head("/workers/1/tenants/shop")
    assert (response.status_code, response.text) == (200, "")


@pytest.mark.parametrize("path", ["/workers/7/", "/workers/01/", "/workers/x/", "/workers/1/nothing"])
def test_a_page_that_there_is_not(path: str, busy: Fleet) -> None:
    response = busy.monitor.get(path)
    assert response.status_code == 404
    assert "Back to the overview" in response.text


def test_a_way_that_a_worker_shows_leads_to_its_own_pages(busy: Fleet) -> None:
    assert busy.monitor.get("/workers/1").headers["location"] == "/workers/1/"
    response = busy.monitor.get("/workers/1/rules-of-nobody/../tenants/shop/")
    assert response.headers["location"] == "/workers/1/tenants/shop"


def test_templates_are_part_of_the_package() -> None:
    import runtime.fleet

    assert (Path(runtime.fleet.__file__).parent / "templates" / "workers.html").exists()
