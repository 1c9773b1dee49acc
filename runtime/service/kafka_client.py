"""What source and sink of Kafka have in common: settings of librdkafka, and its errors in words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from runtime.service.trouble import Trouble

PROBE_S = 1.0
"""How long a cluster may take to answer when it is asked whether it is there, and how often it is asked."""

_OF_ONE_BROKER = frozenset((KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT))


def settings(
    brokers: str, options: Mapping[str, str], own: Mapping[str, Any], trouble: Trouble, log: logging.Logger
) -> dict[str, Any]:
    """All settings of a client, which tells `trouble` when the cluster cannot be reached."""
    latest = ""

    def on_error(error: KafkaError) -> None:
        nonlocal latest
        if error.code() in _OF_ONE_BROKER:
            # Others may be there; when none is, that is told next.
            latest = error.str()
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            trouble.failed(f"it cannot be reached: {latest or error.str()}")
        else:
            trouble.failed(error.str())

    return {
        # What matters is told by `trouble`, once.
        "log_level": "2",
        **options,
        **own,
        "bootstrap.servers": brokers,
        "error_cb": on_error,
        "logger": log,
    }


def probe(client: Consumer | Producer, topic: str, trouble: Trouble) -> None:
    """Asks the cluster for the topic, and tells `trouble` how that went."""
    try:
        error = client.list_topics(topic, timeout=PROBE_S).topics[topic].error
    except KafkaException as failed:
        trouble.failed(f"it cannot be reached: {reason(failed)}")
        return
    if error is not None:
        trouble.failed(error.str())
        return
    if isinstance(client, Producer):
        # What was heard while it was asked is older than its answer.
        client.poll(0)
    trouble.went_well()


def reason(error: KafkaException) -> str:
    """What went wrong, without codes."""
    found = error.args[0]
    return found.str() if isinstance(found, KafkaError) else str(found)


def made(make: Callable[[], Any]) -> Any:
    """A client. Raises ValueError where librdkafka does not take an option; it says which."""
    try:
        return make()
    except KafkaException as error:
        raise ValueError(reason(error)) from error
    except TypeError as error:
        # The name of a callback stands among the options.
        raise ValueError(str(error)) from error
