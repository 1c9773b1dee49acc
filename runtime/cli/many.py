"""What commands that replay have in common where PROFILE may be a folder of several tenants."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import click

from epl import Diagnostic, InvalidInput
from runtime.config import YAML_NAME, find_tenants, load_tenant
from runtime.io import FileSink, LineSink
from runtime.presets import resolve
from runtime.rules import TenantRules, compile_tenant


def tenants_below(profile: str) -> list[Path]:
    """The tenants' folders below PROFILE where it is a folder of tenants; none where it is itself a tenant."""
    path = resolve(profile)
    return find_tenants(path) if path.is_dir() and not (path / YAML_NAME).is_file() else []


def compile_all(folders: list[Path]) -> list[TenantRules]:
    """The rules of several tenants. Raises InvalidInput with the problems of all of them."""
    compiled: list[TenantRules] = []
    problems: list[Diagnostic] = []
    for folder in folders:
        try:
            compiled.append(compile_tenant(load_tenant(folder)))
        except InvalidInput as error:
            problems += error.diagnostics
    if problems:
        raise InvalidInput(problems)
    return compiled


class TenantSinks:
    """The sinks of several tenants for `--out`: a file of each in a folder, or one file for all.

    It is a folder when there is one of the name, or the name ends with a slash.
    """

    def __init__(self, out: str | None, stack: ExitStack) -> None:
        self._stack = stack
        self._folder = None if out is None or not (os.path.isdir(out) or out.endswith("/")) else Path(out)
        self._one = None if out is None or self._folder is not None else stack.enter_context(FileSink(out))
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise click.UsageError(f"{out}: it cannot be made: {error.strerror}") from error

    def __call__(self, tenant: str) -> LineSink | None:
        """The sink of a tenant."""
        if self._folder is None:
            return self._one
        return self._stack.enter_context(FileSink(self._folder / f"{quote(tenant, safe=' ')}.ndjson"))
