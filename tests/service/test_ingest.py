"""Events over HTTP: what is taken, what is refused and how, and that each answer is true."""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import zstandard

from runtime.config.service import Address, Listener
from runtime.io import DeadLetter, read_letters
from runtime.service import web

from .running import NDJSON, TENANT, Receiver, Running, click, lines_of, wait_for

JSON = {"Content-Type": "application/json"}
TWO = [click("ann", n=1), click("bob", n=2)]


def head_of(length: int) -> bytes:
    """The head of a request whose body is written by hand."""
    kind = NDJSON["Content-Type"]
    head = (
        f"POST /v1/events/shop HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.encode()


def letters_of(running: Running, tenant: str = "shop") -> list[DeadLetter]:
    """The dead letters of a tenant, as `sojourn dlq` reads them."""
    found = list(read_letters(str(running.state / "dead-letters" / f"{tenant}.ndjson")))
    assert all(isinstance(letter, DeadLetter) for letter in found)
    return [letter for letter in found if isinstance(letter, DeadLetter)]


def test_what_is_answered_has_left(running: Running) -> None:
    answer = running.send(TWO)
    assert (answer["accepted"], answer["dead_lettered"], answer["dead_letters"]) == (2, 0, [])
    begin, first, *_ = running.out()
    assert (begin["_type"], first["user"]) == ("VisitBegin", "ann")
    assert len(running.out()) == 4


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (NDJSON, lines_of(TWO)),
        (NDJSON, lines_of(TWO).rstrip(b"\n")),
        (NDJSON, lines_of(TWO).replace(b"\n", b"\r\n\r\n")),
        (NDJSON | {"Content-Encoding": "gzip"}, gzip.compress(lines_of(TWO), mtime=0)),
        (NDJSON | {"Content-Encoding": "gzip"}, b"".join(gzip.compress(lines_of([each]), mtime=0) for each in TWO)),
        (NDJSON | {"Content-Encoding": "zstd"}, zstandard.compress(lines_of(TWO))),
        (NDJSON | {"Content-Encoding": "zstd"}, b"".join(zstandard.compress(lines_of([each])) for each in TWO)),
        (JSON, json.dumps(TWO).encode()),
        (JSON, json.dumps(TWO, indent=2).encode()),
        (JSON | {"Content-Encoding": "gzip"}, gzip.compress(json.dumps(TWO).encode(), mtime=0)),
    ],
)
def test_forms_of_a_body(headers: dict[str, str], body: bytes, running: Running) -> None:
    response = running.ingest.post("/v1/events/shop", content=body, headers=headers)
    assert (response.status_code, response.json()["accepted"]) == (200, 2)
    assert sorted(each["user"] for each in running.out() if "user" in each) == ["ann", "bob"]


def test_a_single_event_over_several_lines(running: Running) -> None:
    body = json.dumps(TWO[0], indent=4)
    assert running.ingest.post("/v1/events/shop", content=body, headers=JSON).json()["accepted"] == 1


def test_an_empty_batch_is_fine(running: Running) -> None:
    for headers, body in ((NDJSON, b""), (NDJSON, b"\n\n"), (JSON, b"[]")):
        response = running.ingest.post("/v1/events/shop", content=body, headers=headers)
        assert (response.status_code, response.json()["accepted"]) == (200, 0)


def test_a_bad_event_is_a_dead_letter_and_the_others_go_on(running: Running) -> None:
    body = lines_of([TWO[0]]) + b'{"user": 7}\nnot json\n' + lines_of([TWO[1]])
    answer = running.ingest.post("/v1/events/shop", content=body, headers=NDJSON).json()
    assert (answer["accepted"], answer["dead_lettered"]) == (2, 2)
    assert [(each["line"], each["code"]) for each in answer["dead_letters"]] == [(2, "bad_type"), (3, "bad_json")]
    assert "Expected `str | null`, got `int`" in answer["dead_letters"][0]["reason"]
    written = letters_of(running)
    assert [(each.line, each.raw) for each in written] == [(2, b'{"user": 7}'), (3, b"not json")]
    assert {each.source for each in written} == {f"http batch {answer['batch']}"}


def test_an_answer_names_the_first_hundred_and_counts_all(running: Running) -> None:
    answer = running.ingest.post("/v1/events/shop", content=b"no\n" * 1200, headers=NDJSON).json()
    assert (answer["accepted"], answer["dead_lettered"], len(answer["dead_letters"])) == (0, 1200, 100)
    assert [each.line for each in letters_of(running)] == list(range(1, 1201))


@pytest.mark.parametrize("headers", [NDJSON, JSON])
def test_a_line_that_is_too_long(headers: dict[str, str], serve: Callable[..., Running]) -> None:
    running = serve({**TENANT, "limits": {"max_line": "100"}})
    events = [TWO[0], click("eve", page="x" * 200), TWO[1]]
    body = lines_of(events) if headers is NDJSON else json.dumps(events).encode()
    answer = running.ingest.post("/v1/events/shop", content=body, headers=headers).json()
    assert (answer["accepted"], [(each["line"], each["code"]) for each in answer["dead_letters"]]) == (
        2,
        [(2, "too_long")],
    )
    (letter,) = letters_of(running)
    assert letter.raw_bytes is None and letter.raw.startswith(b'{"user": "eve"')


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "reason"),
    [
        ("/v1/events/nobody", NDJSON, b"{}", 404, "there is no tenant `nobody`"),
        ("/v1/events/shop", {"Content-Type": "text/csv"}, b"a,b", 415, "Content-Type `text/csv` is not read here"),
        ("/v1/events/shop", {"Content-Type": ""}, b"{}", 415, "there is no Content-Type"),
        ("/v1/events/shop", NDJSON | {"Content-Encoding": "br"}, b"x", 415, "Content-Encoding `br` is not read here"),
        ("/v1/events/shop", NDJSON | {"Content-Encoding": "gzip"}, b"x" * 9, 400, "its gzip data is damaged"),
        (
            "/v1/events/shop",
            NDJSON | {"Content-Encoding": "gzip"},
            gzip.compress(b"{}", mtime=0)[:-9],
            400,
            "is cut off",
        ),
        ("/v1/events/shop", NDJSON | {"Content-Encoding": "zstd"}, b"x" * 9, 400, "its zstd data is damaged"),
        ("/v1/events/shop", JSON, b"[{}, ", 400, "the body is no JSON array"),
        ("/v1/events/shop", JSON, b"7", 400, "neither a JSON array of events nor an event"),
    ],
)
def test_refusals(path: str, headers: dict[str, str], body: bytes, status: int, reason: str, running: Running) -> None:
    response = running.ingest.post(path, content=body, headers=headers)
    assert response.status_code == status
    assert reason in response.json()["error"]
    assert running.out() == []


def test_only_post(running: Running) -> None:
    assert running.ingest.get("/v1/events/shop").status_code == 405
    assert running.ingest.get("/").status_code == 404


def chunks(body: bytes) -> Iterator[bytes]:
    """A body whose length nobody knows beforehand."""
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize("form", ["declared", "chunked", "gzip bomb", "zstd bomb"])
def test_too_large(form: str, serve: Callable[..., Running]) -> None:
    running = serve(service="ingest: {max_body: 64KiB}")
    zeros = b"\n" * (1 << 20)
    contents: dict[str, tuple[Any, dict[str, str]]] = {
        "declared": (zeros, {}),
        "chunked": (chunks(zeros), {}),
        "gzip bomb": (gzip.compress(zeros, mtime=0), {"Content-Encoding": "gzip"}),
        "zstd bomb": (zstandard.compress(zeros), {"Content-Encoding": "zstd"}),
    }
    content, headers = contents[form]
    response = running.ingest.post("/v1/events/shop", content=content, headers=NDJSON | headers)
    assert response.status_code == 413
    assert "65,536 bytes" in response.json()["error"]
    running.send(TWO)


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [(NDJSON, b"\n" * 1_500_000, "1,000,000 lines"), (JSON, b"[1" + b",1" * 2_500_000 + b"]", "2,000,000 commas")],
)
def test_too_many(headers: dict[str, str], body: bytes, reason: str, running: Running) -> None:
    response = running.ingest.post("/v1/events/shop", content=body, headers=headers)
    assert response.status_code == 413
    assert reason in response.json()["error"]


def test_what_is_no_object_in_an_array_is_a_dead_letter(running: Running) -> None:
    body = b'[{"user": "ann"}, 7, null, "x", [], {"user": "bob"}]'
    answer = running.ingest.post("/v1/events/shop", content=body, headers=JSON).json()
    assert (answer["accepted"], [each["line"] for each in answer["dead_letters"]]) == (2, [2, 3, 4, 5])


def test_each_tenant_has_its_token(serve: Callable[..., Running]) -> None:
    open_tenant = {**TENANT, "tenant": "open"}
    running = serve(TENANT, open_tenant, service="tenants: [{name: shop, token_file: shop.token}]")
    given: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        ({"Authorization": "Bearer the-token-of-admin"}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": "Basic =="}, 401),
        ({"Authorization": "Bearer the-token-of-shop"}, 200),
    ]
    for headers, status in given:
        response = running.ingest.post("/v1/events/shop", content=lines_of(TWO), headers=NDJSON | headers)
        assert response.status_code == status
    # Who has no token does not learn which tenants there are.
    assert running.ingest.post("/v1/events/nobody", content=b"", headers=NDJSON).status_code == 401
    assert running.send(TWO, "open")["accepted"] == 2


def test_without_a_token_only_this_machine_is_served_by_its_name(running: Running) -> None:
    response = running.ingest.post("/v1/events/shop", content=b"", headers=NDJSON | {"Host": "evil.example"})
    assert response.status_code == 403


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here to make a certificate")
def test_over_tls(serve: Callable[..., Running], tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    more = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    running = serve(service=f"ingest: {{certificate: {certificate}, key: {key}}}")
    context = ssl.create_default_context(cafile=str(certificate))
    assert running.service.ingest_url.startswith("https://")
    with httpx.Client(base_url=running.service.ingest_url, verify=context) as client:
        response = client.post("/v1/events/shop", content=lines_of(TWO), headers=NDJSON)
    assert response.json()["accepted"] == 2


def test_small_answers_are_sent_at_once() -> None:
    with web.bind(Listener(Address("127.0.0.1", 0))) as listening:
        # Only for such a socket asyncio switches off the wait for more to send: 40 ms a request.
        assert listening.proto == socket.IPPROTO_TCP


def test_connections_are_kept(running: Running) -> None:
    connection = http.client.HTTPConnection(urlsplit(running.service.ingest_url).netloc)
    connection.connect()
    for _ in range(3):
        before = connection.sock
        connection.request("POST", "/v1/events/shop", lines_of(TWO), NDJSON)
        assert json.load(connection.getresponse())["accepted"] == 2
        assert connection.sock is before
    connection.close()


def test_a_head_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Running]) -> None:
    monkeypatch.setattr(web, "_HEAD_S", 0.3)
    running = serve()
    address = urlsplit(running.service.ingest_url)
    for first in (b"", b"POST /v1/eve"):
        with socket.create_connection((address.hostname, address.port)) as slow:
            slow.settimeout(20)
            slow.sendall(first)
            assert slow.recv(1000) == b""


def test_many_that_trickle_keep_nobody_waiting(running: Running) -> None:
    """Heads that do not end and bodies that do not come: others are answered beside them."""
    address = urlsplit(running.service.ingest_url)
    with ExitStack() as stack:
        for number in range(200):
            slow = stack.enter_context(socket.create_connection((address.hostname, address.port)))
            slow.sendall(head_of(9999) + b"{" if number % 2 else b"POST /v1/eve")
        wait_for(lambda: running.service.host.tenants["shop"].intake.arriving == 100)
        assert running.send(TWO)["accepted"] == 2
    wait_for(lambda: running.service.host.tenants["shop"].intake.arriving == 0)


def test_a_head_without_end_is_given_up(running: Running) -> None:
    address = urlsplit(running.service.ingest_url)
    with socket.create_connection((address.hostname, address.port)) as endless:
        endless.settimeout(20)
        with pytest.raises(ConnectionError):
            endless.sendall(b"POST /v1/events/shop HTTP/1.1\r\n")
            for number in range(100_000):
                endless.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1000))


def test_whoever_sends_much_is_told_why_it_is_not_taken(running: Running) -> None:
    for _ in range(2):
        response = running.ingest.post("/v1/events/nobody", content=b"x" * 5_000_000, headers=NDJSON)
        assert response.status_code == 404


def test_a_body_that_trickles_in_is_given_up(serve: Callable[..., Running]) -> None:
    running = serve(service="ingest: {body_time: 300ms}")
    address = urlsplit(running.service.ingest_url)
    with socket.create_connection((address.hostname, address.port)) as slow:
        slow.settimeout(20)
        slow.sendall(head_of(99) + b"{")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")


def test_who_goes_away_in_the_middle_leaves_nothing(running: Running) -> None:
    address = urlsplit(running.service.ingest_url)
    with socket.create_connection((address.hostname, address.port)) as gone:
        gone.sendall(head_of(9999) + lines_of(TWO))
    wait_for(lambda: running.get("")["responses"].get("400") == 1)
    assert running.out() == []
    assert running.service.host.tenants["shop"].intake.arriving == 0


def test_where_nobody_takes_what_leaves_senders_wait(serve: Callable[..., Running], receiver: Receiver) -> None:
    receiver.status = 503
    quiet = {**TENANT, "tenant": "quiet"}
    yaml = (
        f"ingest: {{max_waiting: 1KiB}}\ntenants: [{{name: shop, http: [{{url: '{receiver.url}', max_waiting: 100}}]}}]"
    )
    running = serve(TENANT, quiet, service=yaml)
    running.send(TWO)
    assert wait_for(lambda: running.get("")["state"] == "stuck")
    with socket.create_connection(("127.0.0.1", urlsplit(running.service.ingest_url).port or 0)) as waiting:
        body = lines_of([click(f"user-{number}") for number in range(100)])
        waiting.sendall(head_of(len(body)) + body)
        wait_for(lambda: running.get("")["waiting_batches"] == 1)
        refused = running.ingest.post("/v1/events/shop", content=body, headers=NDJSON)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert "wait for their turn" in refused.json()["error"]
        # Others do not feel it.
        assert running.send(TWO, "quiet")["accepted"] == 2
        receiver.status = 200
        waiting.settimeout(20)
        assert waiting.recv(1000).startswith(b"HTTP/1.1 200")
    users = {
        each["user"] for each in wait_for(lambda: len(receiver.events()) == 204 and receiver.events()) if "user" in each
    }
    assert len(users) == 102


def test_a_tenant_that_sends_more_than_it_may_is_told_to_wait(serve: Callable[..., Running]) -> None:
    running = serve({**TENANT, "limits": {"rate": 2}}, {**TENANT, "tenant": "calm"})
    assert running.send([click("ann")] * 9)["dead_lettered"] == 7, "a batch is taken whole, by the rules of its tenant"
    refused = running.ingest.post("/v1/events/shop", content=lines_of(TWO), headers=NDJSON)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json()["error"] == "tenant `shop` has had its 2 events of this second"
    assert running.send(TWO, "calm")["accepted"] == 2
    # What it took beforehand it has paid for by and by.
    wait_for(lambda: running.ingest.post("/v1/events/shop", content=b"", headers=NDJSON).status_code == 200)
