"""Lines to Parquet files, many at a time: for whoever asks questions of sessions as of a table."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from runtime.config.connectors import ParquetConfig
from runtime.rules import TenantRules
from runtime.service.batches import BatchDelivery, NotSent
from runtime.service.columns import Tables
from runtime.service.parquet_files import ParquetFiles
from runtime.service.threads import in_thread
from runtime.service.trouble import Trouble

_log = logging.getLogger("sojourn.service.parquet")

_CHUNK_BYTES = 64 << 20
"""Bytes of lines after which files are written, however few they are."""
_MOST_WAITING = 2 * _CHUNK_BYTES


class ParquetDelivery(BatchDelivery):
    """Gathers lines until they are many, or old, and writes them in a thread."""

    def __init__(self, rules: TenantRules, config: ParquetConfig, folder: Path, wake: Callable[[], None]) -> None:
        trouble = Trouble(_log, "sink", str(folder))
        tables = Tables(rules, events=config.events)
        super().__init__(trouble, "parquet", config.rows, _MOST_WAITING, wake, tables.is_wanted)
        self._config = config
        self._folder = folder
        self._files = ParquetFiles(folder, tables)
        self._written = 0
        self._finish()

    def _finish(self) -> None:
        try:
            self._written = self._files.finish()
        except (OSError, msgspec.MsgspecError) as error:
            self._trouble.failed(_reason(error))
        else:
            self._trouble.went_well()

    def go_by(self, rules: TenantRules) -> None:
        """Columns are those of the rules, also of lines that wait: what has no column is in `_rest`."""
        tables = Tables(rules, events=self._config.events)
        self._files = ParquetFiles(self._folder, tables)
        self.backlog.is_wanted = tables.is_wanted

    def tick(self) -> None:
        """Tries again what a run before has left, if that could not be done; for lines the task waits by itself."""
        if self.health.problem is not None and not self.backlog.lines:
            self._finish()

    def resume(self, taken: int) -> int:
        """The number of the first line that is in no file."""
        return super().resume(max(taken, self._written))

    async def due(self) -> None:
        """Returns when there are enough lines, or the first has waited for long enough, or the end has come."""
        await super().due()
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._config.age_ms / 1000
        while not self._is_due and (left_s := deadline_s - loop.time()) > 0:
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), left_s)
            except TimeoutError:
                return

    @property
    def _is_due(self) -> bool:
        return self.is_draining or len(self.backlog.lines) >= self.batch or self.backlog.size >= _CHUNK_BYTES

    async def send(self, lines: Sequence[bytes]) -> None:
        """Writes files. Raises NotSent."""
        end = self.backlog.number_at(len(lines))
        try:
            await in_thread("sojourn-parquet", lambda: self._files.write(lines, end))
        except (OSError, pa.ArrowException) as error:
            raise NotSent(_reason(error)) from error


def _reason(error: Exception) -> str:
    return f"it cannot be written: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
