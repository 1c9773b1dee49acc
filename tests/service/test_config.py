"""`service.yaml` is read and checked as a tenant's configuration is: every problem, each with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from epl.diagnostics import Code, Diagnostic, InvalidInput
from runtime.config import SERVICE_CODES, SERVICE_KEY_LIST, Address, FilesConfig, Key, Kind, ServiceConfig, load_service

TOKEN = "b8c1f9e2a4d7460f9a3e"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ServiceConfig]:
    """Loads a text as `service.yaml` of a service of the tenant `shop`, beside the files that it may name."""
    monkeypatch.chdir(tmp_path)
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ingest: {listen: 15590}", "`listen` wants an address and a port such as `127.0.0.1:9999`, not `15590`"),
        ("ingest: {listen: somewhere}", "not `somewhere`"),
        ("ingest: {listen: '::1:80'}", "not `::1:80`"),
        ("ingest: {listen: 'localhost:99999'}", "not `localhost:99999`"),
        ("tenants: [{name: shop, http: [{url: ftp://example.org}]}]", "not `ftp://example.org`"),
        ("tenants: [{name: shop}, {name: shop}]", "the tenant `shop` is taken by line 1"),
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
