"""Text that may come from somebody else, on its way to a terminal: whatever would command the terminal is spelled out.

A title, a class name or an error with escape sequences in it could hide lines, rename the window or fill the clipboard.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from study.errors import NotPrinted
from study.passwords import MaskedStream

# Control characters but tab and newline (a carriage return only before one), marks that turn the writing direction, and
# what nobody sees: two names could look alike. The joiners of emoji and Persian (U+200C, U+200D) stay.
_COMMANDS = re.compile(
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\U000e0000-\U000e007f]"
)
_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")


def printable(text: str) -> str:
    """`text` with control characters spelled out: ESC becomes the four characters \\x1b."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _SafeStream(MaskedStream):
    """No secrets, and an error in our own words where it can't be written; a reader that went away is none."""

    def write(self, text: str) -> int:
        """Writes it without secrets."""
        with _write_errors():
            return super().write(text)

    def flush(self) -> None:
        """Flushes it."""
        with _write_errors():
            self._stream.flush()


class PrintableStream(_SafeStream):
    """A text stream for people: no secrets, no commands to their terminal.

    Args:
        stream: Where it goes.
        colours: Let colours pass, where all that is printed is our own.

    Attributes:
        styled: The same for those who escape what they are given and add commands of their own.
    """

    def __init__(self, stream: TextIO, *, colours: bool = False) -> None:
        super().__init__(stream)
        self._colours = colours
        self.styled = _SafeStream(stream)

    def write(self, text: str) -> int:
        """Writes it without secrets, commands spelled out."""
        parts = _STYLE.split(text) if self._colours else [text]
        said = "".join(part if at % 2 else printable(part) for at, part in enumerate(parts))
        super().write(said)
        return len(text)


@contextmanager
def _write_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EPIPE, None):
            raise
        raise NotPrinted(f"what this says can't be written where it is sent to ({error.strerror})") from None
