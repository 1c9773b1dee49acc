"""Who may talk to the service: tokens, compared in a time that says nothing of them."""

from __future__ import annotations

import base64
import binascii
from hmac import compare_digest
from ipaddress import ip_address

from starlette.requests import Request


def shown_token(request: Request) -> str | None:
    """The token of a request: `Bearer`, or the password of `Basic`, which is what browsers ask for."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip()
    if kind.lower() == "bearer":
        return given
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def is_allowed(request: Request, token: str | None) -> bool:
    """True when the request shows the token, or none is asked for."""
    if token is None:
        return True
    shown = shown_token(request)
    return shown is not None and compare_digest(shown.encode(), token.encode())


def is_for_this_machine(request: Request) -> bool:
    """True when the request names this machine as its host by a name that only means this machine.

    Where no token is asked for, the browser of somebody on this machine must not act for a page from elsewhere whose
    name has been made to lead here.
    """
    host = request.headers.get("host", "")
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
