"""What a way in or out needs and does not have is told before anything begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from .killing import Zygote

KAFKA = "{brokers: 'localhost:1', topic: t, group: g}"
VALKEY = "{url: 'valkey://localhost:1', stream: s, group: g}"


def refused(zygote: Zygote, tmp_path: Path, way: str, *without: str) -> str:
    """What `sojourn serve` of a shipped profile says, with packages that are not there."""
    (tmp_path / "service.yaml").write_text(f"tenants: [{{name: pulsar, {way}}}]\n")
    options = ["pulsar", "--state", str(tmp_path / "state"), "--config", str(tmp_path / "service.yaml")]
    free = ["--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0"]
    number = zygote.ask(serve=["serve", *options, *free], folder=str(tmp_path), without=without)
    assert zygote.ask(wait=number) == 2
    said = (tmp_path / "stderr").read_text()
    assert "Traceback" not in said
    return said


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
def test_a_package_that_is_missing(zygote: Zygote, tmp_path: Path, way: str, package: str, extra: str) -> None:
    said = refused(zygote, tmp_path, way, package)
    key = way.partition(":")[0]
    assert f"tenant `pulsar`: `{key}` needs {package}" in said
    assert f"pip install 'sojourn[{extra}]'" in said


@pytest.mark.parametrize(
    "way", [f"kafka_in: [{KAFKA[:-1]}, OPTIONS}}]", "kafka_out: [{brokers: 'localhost:1', topic: t, OPTIONS}]"]
)
def test_an_option_that_librdkafka_does_not_know(zygote: Zygote, tmp_path: Path, way: str) -> None:
    said = refused(zygote, tmp_path, way.replace("OPTIONS", "options: {no.such.option: 1}"))
    assert "no.such.option" in said
