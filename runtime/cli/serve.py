"""`sojourn serve`: rules over events as they come."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from runtime.cli.errors import FINDINGS, fail
from runtime.cli.many import compile_all
from runtime.clocks import NoClock
from runtime.config import find_tenants
from runtime.config.service import Address, load_service
from runtime.presets import resolve
from runtime.tenants import TenantTwice

if TYPE_CHECKING:
    from runtime.fleet.front import Front
    from runtime.service import Service

_EPILOG = """\b
Examples:
  sojourn serve pulsar --state state                    a shipped profile, on this machine only
  sojourn serve tenants/ --state state                  every tenant below a folder
  sojourn serve shop app --state state --config service.yaml
  sojourn serve shop --state state --workers 4          sessions on four processors
  tail -F access.ndjson | sojourn serve shop --state state --stdin shop

\b
Then, for a tenant `shop`:
  curl -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson http://127.0.0.1:15590/v1/events/shop
  curl http://127.0.0.1:9999/metrics
  open http://127.0.0.1:9999

\b
What leaves goes to STATE/out/TENANT.ndjson, dead letters to STATE/dead-letters/TENANT.ndjson, unless --config says
otherwise. SIGTERM finishes what was taken, writes a snapshot, and exits; a second one hurries. The next start with the
same STATE goes on with all sessions, also when the process was killed. Rules are reloaded when their files change, on
SIGHUP (all tenants) and from the page; bad ones change nothing.

\b
Exit codes: 0 stopped, 1 the rules have problems or a part failed, 2 a file, an option or the state is wrong."""


class _AddressType(click.ParamType[Address]):
    """An address and a port."""

    name = "host:port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        found = Address.parse(str(value))
        if found is None:
            self.fail(f"`{value}` is no address and port such as 127.0.0.1:9999", param, ctx)
        return found


@click.command("serve", epilog=_EPILOG, short_help="Run rules over events as they come.")
@click.argument("tenants", nargs=-1, required=True)
@click.option(
    "--state",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for sessions, what leaves, dead letters and versions of rules; made when it is not there.",
)
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="Tokens, TLS, sinks and limits."
)
@click.option("--ingest", type=_AddressType(), metavar="HOST:PORT", help="Where events come in (127.0.0.1:15590).")
@click.option("--monitor", type=_AddressType(), metavar="HOST:PORT", help="Where to watch (127.0.0.1:9999).")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Processes that run the rules, each the sessions of its own keys; without it this one runs them. "
    "Another number than before moves the sessions first.",
)
@click.option("--stdin", "stdin_of", metavar="TENANT", help="Take lines of this tenant from stdin, too.")
@click.option("--quiet", "-q", is_flag=True, help="Only logs, no greeting.")
def serve_command(
    tenants: tuple[str, ...],
    state: Path,
    config_file: Path | None,
    ingest: Address | None,
    monitor: Address | None,
    workers: int | None,
    stdin_of: str | None,
    quiet: bool,
) -> None:
    """Take events of TENANTS over HTTP and write what comes of them, until told to stop.

    TENANTS are tenants' folders, folders of several, or names of shipped profiles. Logs go to stderr, a line of JSON an
    incident.
    """
    try:
        from runtime.fleet.front import Front, WorkersCannotBegin
        from runtime.fleet.moving import move
        from runtime.service import CannotConnect, CannotListen, NoTelemetry, Service, StateDamaged, StateTaken, run
        from runtime.service.logs import log_as_json
    except ImportError as error:
        fail(f"serve needs {error.name}, which an extra installs: pip install 'sojourn[service]'")
    rules = compile_all([folder for each in tenants for folder in find_tenants(resolve(each))])
    if not rules:
        fail("no tenant is there to serve")
    for each in rules:
        if "/" in each.config.tenant:
            fail(f"tenant `{each.config.tenant}`: a tenant that is served has no slash in its name")
    if stdin_of is not None and stdin_of not in (each.config.tenant for each in rules):
        fail(f"--stdin: no tenant that is served is called `{stdin_of}`")
    config = load_service(config_file).listening(ingest, monitor)
    stdin = None if stdin_of is None else (stdin_of, sys.stdin.buffer)
    service: Service | Front
    log_as_json(sys.stderr)
    try:
        move(rules, config, state, workers)
        if workers is None:
            service = Service(rules, config, state, stdin=stdin)
        else:
            service = Front(rules, config, state, workers, stdin=stdin)
    except (CannotConnect, CannotListen, NoClock, StateDamaged, StateTaken, TenantTwice) as error:
        fail(str(error))
    try:
        failed = run(service, lambda: None if quiet else _greet(service))
    except (NoTelemetry, WorkersCannotBegin) as error:
        fail(str(error))
    except StateDamaged as error:
        fail(f"{error}; without the tenant's folder below {state / 'log'} it begins anew")
    # A thread may still wait for the answer to a request, which the next start sends again.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(FINDINGS if failed else 0)


def _greet(service: Service | Front) -> None:
    console = Console(highlight=False, soft_wrap=True)
    names = sorted(service.tenants)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    console.print(f"[bold]events in[/]  {service.ingest_url}/v1/events/{names[0]}[dim]{more}[/]")
    console.print(f"[bold]watch[/]      {service.monitor_url}")
    console.print("[dim]Ctrl-C stops[/]")
