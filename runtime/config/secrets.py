"""Files that `service.yaml` names: there and readable, and with a secret in them where they should have one."""

from __future__ import annotations

from pathlib import Path

from epl.source import Source
from runtime.config.codes import UNREADABLE
from runtime.config.files import text_or_reason
from runtime.config.reader import Found, Section
from runtime.config.service_codes import BAD_PASSWORD, BAD_TOKEN

_LEAST_TOKEN = 16


def token_in(section: Section, folder: Path) -> str | None:
    """The token in `token_file`; reported when it holds none that protects anything."""
    file = section.text("token_file")
    token = _text(section, folder, file)
    if token is None:
        return None
    if len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        section.problems.add(BAD_TOKEN, file.span, file=file.value, least=_LEAST_TOKEN)
    return token


def password_in(section: Section, folder: Path) -> str | None:
    """The password in `password_file`; reported when there is none. Others choose it, so it may be as it likes."""
    file = section.text("password_file")
    password = _text(section, folder, file)
    if password is not None and (not password or not password.isprintable()):
        section.problems.add(BAD_PASSWORD, file.span, file=file.value)
    return password


def readable(section: Section, folder: Path, file: Found[str]) -> Source | None:
    """A file's text; reported when it cannot be read."""
    source = text_or_reason(folder / file.value)
    if isinstance(source, Source):
        return source
    section.problems.add(UNREADABLE, file.span, file=file.value, reason=source)
    return None


def _text(section: Section, folder: Path, file: Found[str]) -> str | None:
    source = readable(section, folder, file) if file.given and file.valid else None
    return None if source is None else source.text.strip()
