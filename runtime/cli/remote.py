"""A running service, asked over its API by commands that watch it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runtime.cli.errors import fail

if TYPE_CHECKING:
    from http.client import HTTPResponse

token_option = click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="FILE", help="The file with monitoring's token."
)


class Remote:
    """Monitoring's port of a service, by its URL. What does not work ends the command with a message."""

    def __init__(self, url: str, token_file: Path | None) -> None:
        self.url = url.rstrip("/")
        token = _token(token_file)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        """What the API says."""
        try:
            with self._opened(path, 10) as response:
                return json.load(response)
        except (OSError, ValueError) as error:
            self._gone(error)

    def lines(self, path: str) -> Iterator[Any]:
        """The lines of an answer as they come, decoded."""
        try:
            with self._opened(path, None) as response:
                for line in response:
                    yield json.loads(line)
        except (OSError, ValueError) as error:
            self._gone(error)

    def _opened(self, path: str, timeout_s: float | None) -> HTTPResponse:
        # Every command would wait for these, TLS and all: 40 ms.
        import urllib.error
        import urllib.request

        request = urllib.request.Request(self.url + path, headers=self._headers)
        try:
            opened: HTTPResponse = urllib.request.urlopen(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            if error.code == 401:
                fail(f"{self.url}: it answered 401; give the token's file: --token-file FILE")
            fail(f"{self.url}: it answered {error.code}{_reason(error.read())}")
        return opened

    def _gone(self, error: OSError | ValueError) -> None:
        reason = getattr(error, "reason", error)
        fail(f"{self.url}: no service answers there: {getattr(reason, 'strerror', None) or reason}")


def _reason(body: bytes) -> str:
    try:
        return f": {json.loads(body)['error']}"
    except (ValueError, LookupError, TypeError):
        return ""


def _token(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: it cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}")
