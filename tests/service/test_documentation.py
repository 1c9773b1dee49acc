"""What README and docs/service.md say is so: the commands run, the example loads, the tables are whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.config.service import ServedTenant, load_service
from runtime.protocol import INGEST, MONITOR

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()
PAGE = (PROJECT / "docs" / "service.md").read_text()
LIVE = README[README.index("## Run it live") : README.index("## What you have here")]
COMMANDS = re.findall(r"^\$ (.*)$", LIVE, re.MULTILINE)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The README's service, on free ports: where its addresses really are."""
    serve = next(command for command in COMMANDS if command.startswith("sojourn serve"))
    options = serve.replace("--state state", f"--state {tmp_path}").split()[1:]
    process = subprocess.Popen(
        [sys.executable, "-m", "runtime.cli", *options, "--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(2)]
    real = [re.sub(r":\d+(/|\n)", r":PORT\1", line) for line in said]
    shown = re.findall(r"^(?:events in|watch).*\n", LIVE, re.MULTILINE)
    assert real == [re.sub(r":\d+(/|\n)", r":PORT\1", line) for line in shown]
    ports = [found for line in said for found in re.findall(r":(\d+)(?:/|\n)", line)]
    yield dict(zip((":15590", ":9999"), (f":{port}" for port in ports), strict=True))
    process.terminate()
    process.communicate()


def run(command: str, ports: dict[str, str]) -> str:
    """What a command prints; with `--fail` for curl, so that errors show."""
    for shown, real in ports.items():
        command = command.replace(shown, real)
    command = re.sub(r"^curl ", "curl --fail --silent --show-error ", command)
    return subprocess.run(command, shell=True, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_commands_of_the_readme_run(shop: dict[str, str]) -> None:
    batch, two, session, end, metrics = (run(each, shop) for each in COMMANDS if each.startswith("curl "))
    assert json.loads(batch)["accepted"] == 20_000
    shown = json.loads(re.findall(r"```json\n(.*?)```", LIVE, re.DOTALL)[0])
    assert {**json.loads(two), "batch": ""} == {**shown, "batch": ""}
    assert json.loads(session)["state"] == {"views": 1}
    assert json.loads(end) == {"ended": True}
    assert 'sojourn_events_total{outcome="ok",tenant="shop"} 20001.0' in metrics


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_examples_of_configurations_load(example: str, tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    for name in re.findall(r"\S+\.(?:token|pem)\b", example):
        (tmp_path / name).write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "kafka.options").write_text("sasl.password=secret\n")
    (tmp_path / "service.yaml").write_text(example)
    config = load_service(tmp_path / "service.yaml")
    config.check(["shop"])
    assert config.tenant("shop") != ServedTenant()


def test_the_tables_name_every_operation_and_no_other() -> None:
    real = {operation.path for operation in (*INGEST.operations, *MONITOR.operations)}
    named = {found.partition("?")[0] for found in re.findall(r"`(?:GET |POST |DELETE )?(/\w[^`]*)`", PAGE)}
    assert named == real


def test_the_table_of_answers_is_whole() -> None:
    modules = [PROJECT / "runtime" / "service" / f"{name}.py" for name in ("ingest", "bodies", "intake", "host")]
    modules += [PROJECT / "runtime" / "fleet" / f"{name}.py" for name in ("desk", "requests")]
    source = "".join(module.read_text() for module in modules)
    refused = set(re.findall(r"NotTaken\((\d{3})", source))
    assert set(re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)) == refused | {"200"}


def test_its_pictures_are_there() -> None:
    images = re.findall(r"!\[[^]]*\]\(([^)]+)\)", LIVE)
    assert images
    for image in images:
        assert (PROJECT / image).read_bytes().startswith(b"\x89PNG"), image
