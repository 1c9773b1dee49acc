"""What a way in or out needs and does not have is told before anything begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
KAFKA = "{brokers: 'localhost:1', topic: t, group: g}"
VALKEY = "{url: 'valkey://localhost:1', stream: s, group: g}"


def serve(tmp_path: Path, way: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """`sojourn serve` of a shipped profile, with packages that are not there."""
    (tmp_path / "service.yaml").write_text(f"tenants: [{{name: pulsar, {way}}}]\n")
    hidden = "".join(f"sys.modules[{name!r}] = None; " for name in without.split())
    command = f"import sys; {hidden}from runtime.cli import main; sys.exit(main())"
    options = ["pulsar", "--state", str(tmp_path / "state"), "--config", str(tmp_path / "service.yaml")]
    free = ["--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0"]
    return subprocess.run(
        [sys.executable, "-c", command, "serve", *options, *free],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("way", "package", "extra"),
    [
        (f"kafka_in: [{KAFKA}]", "confluent_kafka", "kafka"),
        ("kafka_out: [{brokers: 'localhost:1', topic: t}]", "confluent_kafka", "kafka"),
        (f"valkey_in: [{VALKEY}]", "valkey", "valkey"),
        ("valkey_out: [{url: 'valkey://localhost:1', stream: s}]", "valkey", "valkey"),
        ("parquet: {}", "pyarrow", "parquet"),
    ],
)
def test_a_package_that_is_missing(tmp_path: Path, way: str, package: str, extra: str) -> None:
    ended = serve(tmp_path, way, package)
    assert ended.returncode == 2
    key = way.partition(":")[0]
    assert f"tenant `pulsar`: `{key}` needs {package}" in ended.stderr
    assert f"pip install 'sojourn[{extra}]'" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "way", [f"kafka_in: [{KAFKA[:-1]}, OPTIONS}}]", "kafka_out: [{brokers: 'localhost:1', topic: t, OPTIONS}]"]
)
def test_an_option_that_librdkafka_does_not_know(tmp_path: Path, way: str) -> None:
    ended = serve(tmp_path, way.replace("OPTIONS", "options: {no.such.option: 1}"))
    assert ended.returncode == 2
    assert "no.such.option" in ended.stderr
    assert "Traceback" not in ended.stderr
