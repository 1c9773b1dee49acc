"""Files in and out: blocks of lines from NDJSON and CSV, packed or not; sinks; dead letters."""

from runtime.io.blocks import LONG_LINE_HEAD, Block, LineCutter, OnLongLine
from runtime.io.csv_rows import CsvRows
from runtime.io.dead_letters import RAW_LIMIT_BYTES, DeadLetter, DeadLetterWriter, NoLetter, read_letters
from runtime.io.errors import SinkClosed, SinkError, SourceError
from runtime.io.letter_codes import CODES, REASONS, LetterCode
from runtime.io.named import files_named
from runtime.io.ranges import open_range, read_bytes, size_if_plain, size_if_regular
from runtime.io.sinks import FileSink, LineSink, MemorySink
from runtime.io.sources import EventSource, Format, is_parquet, open_source

__all__ = [
    "CODES",
    "LONG_LINE_HEAD",
    "RAW_LIMIT_BYTES",
    "REASONS",
    "Block",
    "CsvRows",
    "DeadLetter",
    "DeadLetterWriter",
    "EventSource",
    "FileSink",
    "Format",
    "LetterCode",
    "LineCutter",
    "LineSink",
    "MemorySink",
    "NoLetter",
    "OnLongLine",
    "SinkClosed",
    "SinkError",
    "SourceError",
    "files_named",
    "is_parquet",
    "open_range",
    "open_source",
    "read_bytes",
    "read_letters",
    "size_if_plain",
    "size_if_regular",
]
