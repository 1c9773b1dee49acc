"""Events from Parquet files, by columns; needs the extra `parquet`."""

from runtime.parquet.batches import Batch, RowMaker
from runtime.parquet.source import RowBlock, read_lines, read_rows

__all__ = ["Batch", "RowBlock", "RowMaker", "read_lines", "read_rows"]
