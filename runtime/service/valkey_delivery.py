"""Lines to a stream of Valkey or Redis, many at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from runtime.config.connectors import ValkeyOutConfig
from runtime.service.batches import BatchDelivery, NotSent
from runtime.service.trouble import Trouble
from runtime.service.valkey_client import ERRORS, connection, reason

_log = logging.getLogger("sojourn.service.valkey")


class ValkeyDelivery(BatchDelivery):
    """Adds an entry a line. A batch whose answer was lost is added again: at least once."""

    def __init__(self, config: ValkeyOutConfig, wake: Callable[[], None]) -> None:
        name = f"valkey:{config.stream}"
        super().__init__(Trouble(_log, "sink", name), name, config.batch, config.max_waiting, wake)
        self._config = config
        self._client = connection(config.url, config.password)

    async def send(self, lines: Sequence[bytes]) -> None:
        """Adds lines. Raises NotSent, also when the server took only the first of them."""
        pipeline = self._client.pipeline(transaction=False)
        for line in lines:
            pipeline.xadd(self._config.stream, {self._config.field: line}, maxlen=self._config.max_length or None)
        try:
            answers = await pipeline.execute(raise_on_error=False)
        except ERRORS as error:
            raise NotSent(reason(error)) from error
        for taken, answer in enumerate(answers):
            if isinstance(answer, Exception):
                raise NotSent(reason(answer), taken)

    async def drain(self, seconds: float) -> None:
        """Waits until everything was taken, no longer than this; the connection is then closed."""
        await super().drain(seconds)
        if not self.backlog.lines:
            await self._client.aclose()
