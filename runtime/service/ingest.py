"""The intake over HTTP: `POST /v1/events/{tenant}`, a batch of events a request.

An answer of 200 says what became of each event of the batch: in a session, or in the dead letters with a reason. Any
other answer says that none of them was taken.
"""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from runtime.io import DeadLetter
from runtime.letters import too_long_letter
from runtime.protocol import INGEST, answers
from runtime.protocol.operations import EVENTS
from runtime.service import spans
from runtime.service.api import description_route, failed, route
from runtime.service.bodies import check_kind, lines_of, unpacked
from runtime.service.intake import MOST_SHOWN, Answer, NotTaken
from runtime.service.spans import span
from runtime.service.taker import Fed, Taker
from runtime.service.tokens import is_allowed, is_for_this_machine

_LARGE_BYTES = 128 * 1024
"""Unpacking more than this is worth a thread: the loop goes on meanwhile."""
_HELD_S = 0.25, 0.75
"""How long, at least and at most, whoever sends too much waits for the answer that says so. Nothing more of that
connection is read meanwhile, so that a flood costs the other tenants little, also where its sender does not mind the
answer; and those that were refused together do not come back together."""


def ingest_app(host: Taker) -> Starlette:
    """The application of the intake's port."""

    async def events(request: Request) -> Response:
        with spans.request(f"{EVENTS.method} {EVENTS.path}", request.headers):
            response = await answered(request)
            spans.answered(response.status_code)
            return response

    async def answered(request: Request) -> Response:
        served = host.tenants.get(request.path_params["tenant"])
        try:
            if served is None:
                # Without a token nobody learns which tenants there are.
                if any(each.config.token is not None for each in host.tenants.values()):
                    raise NotTaken(401, "no token, or not the tenant's")
                raise NotTaken(404, f"there is no tenant `{request.path_params['tenant']}`")
            if not is_allowed(request, served.config.token):
                raise NotTaken(401, "no token, or not the tenant's")
            if served.config.token is None and not is_for_this_machine(request):
                raise NotTaken(403, "without a token only this machine is served, by its own name")
            response = await _taken(host, served, request)
        except NotTaken as error:
            if error.status == 429:
                await asyncio.sleep(random.uniform(*_HELD_S))
            response = _refusal(error)
        if served is not None:
            served.responses[response.status_code] = served.responses.get(response.status_code, 0) + 1
        return response

    return Starlette(
        routes=[route(EVENTS, events), description_route(INGEST)],
        exception_handlers={HTTPException: failed},
    )


async def _taken(host: Taker, served: Fed, request: Request) -> Response:
    content_type = request.headers.get("content-type", "")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    check_kind(content_type, encoding)
    served.intake.check()
    limit = host.config.ingest.max_body
    body = await _body(host, served, request, limit)
    served.received_bytes += len(body)
    # While it came, others may have had what was left of this second.
    served.intake.check()
    if encoding != "identity" and len(body) > _LARGE_BYTES:
        body = await asyncio.to_thread(unpacked, body, encoding, limit)
    else:
        body = unpacked(body, encoding, limit)
    batch_id = uuid4().hex[:16]
    source = f"http batch {batch_id}"
    max_line_bytes = served.rules.config.limits.max_line_bytes
    too_long: list[DeadLetter] = []

    def on_long_line(line: int, size: int, head: bytes) -> None:
        too_long.append(too_long_letter(served.name, source, line, size, head, max_line_bytes))

    lines = lines_of(body, content_type, max_line_bytes, on_long_line)
    with span("batch", tenant=served.name, lines=len(lines), bytes=len(body)):
        answer = await host.offer(served, lines, len(body), source, letters=too_long) if lines else Answer()
    return JSONResponse(_as_data(batch_id, answer, too_long))


async def _body(host: Taker, served: Fed, request: Request, limit: int) -> bytes:
    """The body as it comes. Raises NotTaken when it is too large, too slow, or stops in the middle."""
    too_large = NotTaken(413, f"the body is larger than {limit:,} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    body = bytearray()
    try:
        with served.intake.expecting():
            async with asyncio.timeout(host.config.ingest.body_time_ms / 1000):
                async for chunk in request.stream():
                    served.intake.arriving += len(chunk)
                    body += chunk
                    if len(body) > limit:
                        raise too_large
    except TimeoutError:
        raise NotTaken(408, "the body did not arrive in time") from None
    except ClientDisconnect:
        raise NotTaken(400, "the body stopped in the middle") from None
    finally:
        served.intake.arriving -= len(body)
    return bytes(body)


def _as_data(batch_id: str, answer: Answer, too_long: list[DeadLetter]) -> answers.Taken:
    letters = [(each.line, each.code, each.reason) for each in answer.letters]
    letters += [(each.line, each.code, each.reason) for each in too_long]
    return {
        "batch": batch_id,
        "accepted": answer.accepted,
        "dead_lettered": answer.refused + len(too_long),
        "dead_letters": [
            {"line": line, "code": code, "reason": reason} for line, code, reason in sorted(letters)[:MOST_SHOWN]
        ],
    }


def _refusal(error: NotTaken) -> Response:
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status in (408, 413):
        # What is still on its way is not read.
        headers["Connection"] = "close"
    return JSONResponse({"error": error.reason}, error.status, headers)
