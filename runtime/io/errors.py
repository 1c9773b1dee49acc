"""What can go wrong with a file as a whole.

One bad event is never an error of the file: it becomes a dead letter. These are the failures that end a run, each with
a text made for the user; the command line prints it as it is.
"""

from __future__ import annotations


class SourceError(Exception):
    """Input that cannot be read, or not to its end. `name` is the source as the user gave it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


class CorruptData(Exception):
    """Packed data that is damaged or ends too early; the text says which."""


class SinkError(Exception):
    """Output that cannot be written. `name` is the sink as the user gave it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


class SinkClosed(SinkError):
    """The reader of our output went away, as `head` does; a reason to stop quietly, not a failure."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "nobody reads the output any more")
