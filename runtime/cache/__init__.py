"""Where sessions live, and when they are due."""

from runtime.cache.cache import Cache
from runtime.cache.codec import Codec
from runtime.cache.table import SessionTable
from runtime.cache.wheel import NEVER_MS, NOWHERE_MS, SLOT_MS, TimeWheel

__all__ = ["NEVER_MS", "NOWHERE_MS", "SLOT_MS", "Cache", "Codec", "SessionTable", "TimeWheel"]
