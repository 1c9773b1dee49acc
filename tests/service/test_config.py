"""`service.yaml` is read and checked as a tenant's configuration is: every problem, each with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from epl.diagnostics import Code, Diagnostic, InvalidInput
from runtime.config import Key, Kind, Start
from runtime.config.connectors import KafkaInConfig, KafkaOutConfig, ParquetConfig, ValkeyInConfig, ValkeyOutConfig
from runtime.config.service import Address, FilesConfig, ServiceConfig, load_service
from runtime.config.service_codes import SERVICE_CODES
from runtime.config.service_keys import SERVICE_KEY_LIST

KAFKA = "{brokers: 'localhost:9092', topic: t, group: g}"
TOKEN = "b8c1f9e2a4d7460f9a3e"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ServiceConfig]:
    """Loads a text as `service.yaml` of a service of the tenant `shop`, beside the files that it may name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.options").write_text("# what the cluster asks for\nsasl.password = a=b\n")
    for name, text in (("good.token", f"{TOKEN}\n"), ("empty.token", ""), ("tls.pem", "pem"), ("tls.key", "key")):
        (tmp_path / name).write_text(text)

    def load_text(text: str) -> ServiceConfig:
        Path("service.yaml").write_text(text)
        config = load_service(Path("service.yaml"))
        config.check(["shop"])
        return config

    return load_text


@pytest.fixture
def problems_of(load: Callable[[str], ServiceConfig]) -> Callable[[str], list[Diagnostic]]:
    """The problems of a text, none when it is sound."""

    def found(text: str) -> list[Diagnostic]:
        try:
            load(text)
        except InvalidInput as invalid:
            return list(invalid.diagnostics)
        return []

    return found


@pytest.mark.parametrize("code", SERVICE_CODES, ids=lambda code: code.id)
def test_examples(code: Code, problems_of: Callable[[str], list[Diagnostic]]) -> None:
    assert [found.code for found in problems_of(code.bad)] == [code]
    assert problems_of(code.good) == []


def test_codes_are_numbered_without_gaps() -> None:
    assert [code.id for code in SERVICE_CODES] == [f"E{551 + number}" for number in range(len(SERVICE_CODES))]


@pytest.mark.parametrize("key", SERVICE_KEY_LIST, ids=lambda key: key.path)
def test_each_key_is_documented(key: Key) -> None:
    assert key.doc[0].isupper() and key.doc.endswith(".")
    assert not (key.required and key.default is not None)
    if key.kind is Kind.DURATION:
        assert "duration" in key.doc
    if key.kind is Kind.SIZE:
        assert "bytes" in key.doc


def test_without_a_file_the_defaults_hold() -> None:
    config = load_service(None)
    config.check(["shop"])
    assert str(config.ingest.listener.address) == "127.0.0.1:15590"
    assert str(config.monitor.listener.address) == "127.0.0.1:9999"
    assert config.tenant("shop").files == FilesConfig(64 << 20, 3_600_000)
    assert config.stop_ms == 20_000


def test_all_that_can_be_said(load: Callable[[str], ServiceConfig]) -> None:
    config = load("""
ingest:
  listen: 0.0.0.0:80
  certificate: tls.pem
  key: tls.key
  max_body: 1MiB
  lines: [{listen: "[::1]:7", tenant: shop}]
monitor: {listen: "localhost:81", token_file: good.token}
stop_time: 5s
tenants:
  - name: shop
    token_file: good.token
    markers_only: true
    http: [{url: "https://example.org/events", batch: 7, token_file: good.token}]
""")
    shop = config.tenant("shop")
    assert (shop.token, shop.markers_only, shop.files) == (TOKEN, True, None)
    assert (shop.http[0].url, shop.http[0].batch, shop.http[0].token) == ("https://example.org/events", 7, TOKEN)
    assert config.monitor.token == TOKEN
    assert (config.ingest.lines[0].address, config.ingest.max_body) == (Address("::1", 7), 1 << 20)


def test_connections(load: Callable[[str], ServiceConfig]) -> None:
    shop = load("""
tenants:
  - name: shop
    kafka_in:
      - brokers: one:9092,two:9092
        topic: clicks
        group: sojourn
        start: latest
        commit_gap: 30m
        options: {security.protocol: SASL_SSL, fetch.min.bytes: 1, enable.ssl.certificate.verification: true}
        options_file: good.options
    valkey_in: [{url: "valkeys://ann@cache:1", stream: clicks, group: sojourn, password_file: good.token}]
    kafka_out: [{brokers: "one:9092", topic: sessions, key: user, max_waiting: 1MiB}]
    valkey_out: [{url: "redis://cache", stream: sessions, max_length: 1000, field: json}]
    parquet: {rows: 1000, age: 1m, events: true}
""").tenant("shop")
    options = {"security.protocol": "SASL_SSL", "fetch.min.bytes": "1", "enable.ssl.certificate.verification": "true"}
    options["sasl.password"] = "a=b"
    assert shop.kafka_in == (
        KafkaInConfig("one:9092,two:9092", "clicks", "sojourn", Start.LATEST, 30 * 60_000, options),
    )
    assert shop.valkey_in == (ValkeyInConfig("valkeys://ann@cache:1", "clicks", "sojourn", TOKEN),)
    assert shop.kafka_out == (KafkaOutConfig("one:9092", "sessions", "user", 1 << 20),)
    assert shop.valkey_out == (ValkeyOutConfig("redis://cache", "sessions", field="json", max_length=1000),)
    assert shop.parquet == ParquetConfig(1000, 60_000, events=True)
    assert shop.files is None, "what leaves goes elsewhere"


def test_parquet_with_its_defaults(load: Callable[[str], ServiceConfig]) -> None:
    assert load("tenants: [{name: shop, parquet: {}}]").tenant("shop").parquet == ParquetConfig()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ingest: {listen: 15590}", "`listen` wants an address and a port such as `127.0.0.1:9999`, not `15590`"),
        ("ingest: {listen: somewhere}", "not `somewhere`"),
        ("ingest: {listen: '::1:80'}", "not `::1:80`"),
        ("ingest: {listen: 'localhost:99999'}", "not `localhost:99999`"),
        ("tenants: [{name: shop, http: [{url: ftp://example.org}]}]", "not `ftp://example.org`"),
        ("tenants: [{name: shop}, {name: shop}]", "the tenant `shop` is taken by line 1"),
        ("tenants: [{name: shop, valkey_out: [{url: 'http://cache', stream: out}]}]", "not `http://cache`"),
        ("tenants: [{name: shop, kafka_out: [{brokers: b, topic: '^all.*'}]}]", "not `^all.*`"),
        ("tenants: [{name: shop, kafka_in: [{topic: t, group: g}]}]", "`brokers` is missing"),
        (f"tenants: [{{name: shop, kafka_in: [{KAFKA}, {KAFKA}]}}]", "the topic `t` is taken by line 1"),
        (f"tenants: [{{name: shop, kafka_in: [{KAFKA[:-1]}, options: 7}}]}}]", "wants a mapping of names to values"),
        (f"tenants: [{{name: shop, kafka_in: [{KAFKA[:-1]}, options: {{a: [1]}}}}]}}]", "`a` wants a text"),
        (f"tenants: [{{name: shop, kafka_in: [{KAFKA[:-1]}, start: first}}]}}]", "`earliest`, `latest`"),
        ("monitor: {tokenfile: good.token}", "there is no key `tokenfile` under `monitor`"),
        ("monitor: {token_file: no.token}", "`no.token` cannot be read: there is no such file"),
        ("[]", "`service.yaml` wants a mapping"),
    ],
)
def test_problems(text: str, expected: str, problems_of: Callable[[str], list[Diagnostic]]) -> None:
    (found,) = problems_of(text)
    assert expected in found.message


def test_open_to_others_every_tenant_needs_a_token(load: Callable[[str], ServiceConfig]) -> None:
    config = load("tenants: [{name: shop, token_file: good.token}]").listening(Address("0.0.0.0", 1), None)
    config.check(["shop"])
    with pytest.raises(InvalidInput, match="tenant `pulsar` has no `token_file`"):
        config.check(["shop", "pulsar"])
