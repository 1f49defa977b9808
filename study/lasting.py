"""Output of work that nobody needs to watch: a viewer that goes away, or a log on a full disk, never ends a study."""

import contextlib
import os
import sys
from typing import TextIO

# Whoever read is gone, or the disk is full; the stream is closed, which Python says with a ValueError.
_LOST = (OSError, ValueError)


def send_nowhere(stream: TextIO) -> None:
    """A stream that can't be written fails no more: Python flushes what is left in it when it ends."""
    with contextlib.suppress(*_LOST):  # no file of the system, or closed already: nothing will be flushed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class LastingStream:
    """A text stream that becomes silent for good when it can't be written any more.

    Args:
        stream: Where it goes.
        name: For the line about it that goes to stderr, if that is still there.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name, self._lost = stream, name, False

    def write(self, text: str) -> int:
        """Writes it, or does nothing."""
        if not self._lost:
            try:
                self._stream.write(text)
                if "\n" in text:
                    self._stream.flush()  # what can't be written is noticed here, not when the process ends
            except _LOST as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Flushes it, or does nothing."""
        if not self._lost:
            try:
                self._stream.flush()
            except _LOST as error:
                self._lose(error)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def _lose(self, error: Exception) -> None:
        self._lost = True
        send_nowhere(self._stream)
        if self._name != "stderr":
            why = getattr(error, "strerror", None) or error
            sys.stderr.write(f"{self._name} can't be written any more ({why}); the work goes on.\n")
