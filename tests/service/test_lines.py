"""Plain lines over TCP."""

from __future__ import annotations

import socket
from collections.abc import Callable

from .running import TENANT, Running, click, lines_of, wait_for

LINES = 'ingest: {lines: [{listen: "127.0.0.1:0", tenant: shop}]}'


def connect(running: Running) -> socket.socket:
    """A connection for lines."""
    return socket.create_connection(("127.0.0.1", running.service.ways_in.line_ports[0]))


def test_lines_are_taken_as_they_come(serve: Callable[..., Running]) -> None:
    running = serve(service=LINES)
    with connect(running) as sender:
        sender.sendall(lines_of([click("ann")]) + b'{"user": "bo')
        wait_for(lambda: len(running.out()) == 2)
        sender.sendall(b'b"}\n')
        wait_for(lambda: len(running.out()) == 4)
        sender.sendall(b'{"user": "eve"}')
    # The end of the connection ends the last line.
    wait_for(lambda: len(running.out()) == 6)


def test_what_is_no_event_is_a_dead_letter_of_its_line(serve: Callable[..., Running]) -> None:
    running = serve({**TENANT, "limits": {"max_line": "100"}}, service=LINES)
    with connect(running) as sender:
        sender.sendall(lines_of([click("ann")]) + b"no\n" + b"x" * 5000 + b"\n" + lines_of([click("bob")]))
    letters = wait_for(lambda: len(found := running.get("/dead-letters")["dead_letters"]) == 2 and found)
    assert sorted((each["line"], each["code"], each["source"]) for each in letters) == [
        (2, "bad_json", "tcp connection 1"),
        (3, "too_long", "tcp connection 1"),
    ]
    wait_for(lambda: len(running.out()) == 4)


def test_a_paused_tenant_loses_nothing(serve: Callable[..., Running]) -> None:
    running = serve(service=LINES)
    running.monitor.post("/api/v1/tenants/shop/pause", json={})
    with connect(running) as sender:
        sender.sendall(lines_of([click("ann")]))
    assert running.out() == []
    running.monitor.post("/api/v1/tenants/shop/resume", json={})
    wait_for(lambda: len(running.out()) == 2)
