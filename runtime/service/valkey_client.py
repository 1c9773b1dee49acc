"""What source and sink of Valkey have in common: a connection, and its errors in words. Redis speaks the same."""

from __future__ import annotations

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

ERRORS = (ValkeyError, OSError, TimeoutError)
"""What a server, or the way to it, may do."""

_CONNECT_S = 5.0
_ANSWER_S = 10.0


def connection(url: str, password: str | None) -> Valkey:
    """A client of a server, which connects when it is first asked, and again after each error."""
    made: Valkey = Valkey.from_url(
        url, password=password, socket_connect_timeout=_CONNECT_S, socket_timeout=_ANSWER_S, client_name="sojourn"
    )
    return made


def reason(error: BaseException) -> str:
    """What went wrong, in words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
