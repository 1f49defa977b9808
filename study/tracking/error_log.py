"""What goes wrong again and again, in a log that is still read after a day of it."""

import sys
import time
import traceback


class ErrorLog:
    """Writes a traceback the first time that something fails in one way, a line each further time."""

    def __init__(self) -> None:
        self._known: set[tuple[str, ...]] = set()

    def note(self, error: Exception) -> None:
        """Writes to stderr, which is the log of a process that runs beside the driver."""
        # by where it was raised: its text may have addresses, ports and times in it
        way = (type(error).__name__, *traceback.format_tb(error.__traceback__))
        if way in self._known:
            print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} again: {line(error)}", file=sys.stderr)
        else:
            self._known.add(way)
            traceback.print_exception(error, file=sys.stderr)


def line(error: Exception) -> str:
    """What went wrong, in one line."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
