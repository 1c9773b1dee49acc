"""Logs for machines: a line of JSON an incident, no payloads, no flood."""

from __future__ import annotations

import json
import logging
from io import StringIO

import pytest

from runtime.service import logs


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> tuple[logging.Logger, StringIO]:
    """A logger whose lines go to a text."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    handler.addFilter(logs.RateLimit())
    logger = logging.Logger("sojourn.test")
    logger.addHandler(handler)
    return logger, stream


def lines(stream: StringIO) -> list[dict[str, object]]:
    """What has been written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_incident_has_its_fields_and_no_arguments(log: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = log
    logger.warning("event %r failed", {"user": "ann"}, extra={"incident": {"tenant": "shop"}})
    (line,) = lines(stream)
    assert line.pop("time")
    assert line == {"level": "warning", "logger": "sojourn.test", "incident": "event %r failed", "tenant": "shop"}


def test_an_error_has_its_places_and_not_its_text(log: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = log
    try:
        raise ValueError("ann")
    except ValueError:
        logger.exception("oh")
    (line,) = lines(stream)
    assert line["error"] == "ValueError"
    assert "ann" not in stream.getvalue()


def test_the_same_again_and_again_is_written_five_times_a_minute(
    log: tuple[logging.Logger, StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, stream = log
    now = 0.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    for _ in range(12):
        logger.warning("again")
    logger.warning("again", extra={"incident": {"tenant": "another"}})
    assert len(lines(stream)) == 6
    now = 61.0
    logger.warning("again")
    assert lines(stream)[-1]["suppressed"] == 7
