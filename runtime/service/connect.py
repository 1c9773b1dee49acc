"""The ways in and out that need a package which an extra installs; without it the service does not begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.config.service import ServedTenant
from runtime.rules import TenantRules
from runtime.service.delivery import Delivery
from runtime.service.source import Source

if TYPE_CHECKING:
    from runtime.service.taker import Fed, Taker


class CannotConnect(Exception):
    """A tenant's way in or out cannot be made; the message says why."""


def connected_deliveries(
    rules: TenantRules, config: ServedTenant, folder: Path, wake: Callable[[], None]
) -> list[Delivery]:
    """A tenant's ways to Kafka, Valkey and Parquet; `folder` is where the latter is. Raises CannotConnect."""
    found: list[Delivery] = []
    name = rules.config.tenant
    if config.kafka_out:
        with _needed(name, "kafka_out", "kafka"):
            from runtime.service.kafka_delivery import KafkaDelivery
            from runtime.service.message_keys import KeyOf

            found += [KafkaDelivery(each, KeyOf(rules, each.key), wake) for each in config.kafka_out]
    if config.valkey_out:
        with _needed(name, "valkey_out", "valkey"):
            from runtime.service.valkey_delivery import ValkeyDelivery

            found += [ValkeyDelivery(each, wake) for each in config.valkey_out]
    if config.parquet is not None:
        with _needed(name, "parquet", "parquet"):
            from runtime.service.parquet_delivery import ParquetDelivery

            found.append(ParquetDelivery(rules, config.parquet, folder, wake))
    return found


def connected_sources(host: Taker, served: Fed) -> list[Source]:
    """A tenant's ways from Kafka and Valkey. Raises CannotConnect."""
    found: list[Source] = []
    if served.config.kafka_in:
        with _needed(served.name, "kafka_in", "kafka"):
            from runtime.service.kafka_source import KafkaSource

            found += [KafkaSource(host, served, each) for each in served.config.kafka_in]
    if served.config.valkey_in:
        with _needed(served.name, "valkey_in", "valkey"):
            from runtime.service.valkey_source import ValkeySource

            found += [ValkeySource(host, served, each) for each in served.config.valkey_in]
    return found


@contextmanager
def _needed(tenant: str, key: str, extra: str) -> Iterator[None]:
    about = f"tenant `{tenant}`: `{key}`"
    try:
        yield
    except ImportError as error:
        raise CannotConnect(
            f"{about} needs {error.name}, which an extra installs: pip install 'sojourn[{extra}]'"
        ) from error
    except ValueError as error:
        raise CannotConnect(f"{about}: {error}") from error
