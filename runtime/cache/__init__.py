"""Where sessions live, and when they are due."""

from runtime.cache.base import SessionTable
from runtime.cache.memory import MemoryTable
from runtime.cache.wheel import NEVER_MS, NOWHERE_MS, SLOT_MS, TimeWheel

__all__ = ["NEVER_MS", "NOWHERE_MS", "SLOT_MS", "MemoryTable", "SessionTable", "TimeWheel"]
