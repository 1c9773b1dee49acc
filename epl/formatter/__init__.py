"""Rule files in one canonical style."""

from epl.formatter.files import format_source

__all__ = ["format_source"]
