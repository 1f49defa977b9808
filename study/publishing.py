"""The driver's side of the publisher's process: start it, hear from it, tell it to finish."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from study.config import StudyConfig
from study.signals import StopFlag, deaf_children

STALLED_S = 120.0  # without any delivery although MLflow answers; its requests time out long before
STALLED_WHILE_DOWN_S = 3.0


class Publishing:
    """A running publisher. It dies with this process.

    Args:
        fence: Of the lease that the driver holds.
        message: Gets one sentence when MLflow stops or starts to answer (from another thread).
    """

    def __init__(self, config: StudyConfig, fence: int, message: Callable[[str], None]) -> None:
        self._message = message
        self._drained = threading.Event()
        self._down = False
        log = config.directory / "publisher.log"
        with deaf_children(), log.open("a", encoding="utf-8") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "study.publisher", config.ledger_url, config.name, str(fence)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._log: Path = log
        self._reader = threading.Thread(target=self._listen, name="ockham-publishing", daemon=True)
        self._reader.start()

    def finish(
        self,
        status: str,
        summary: Mapping[str, Any],
        artifacts: Path | None,
        *,
        left: Callable[[], int],
        flag: StopFlag,
    ) -> bool:
        """Lets it drain, log the study's end and go. False if MLflow does not take everything now.

        Args:
            left: Messages in the outbox; as long as that shrinks, this waits.
            flag: A further interrupt ends the waiting.
        """
        order = {"do": "end", "status": status, "summary": dict(summary), "artifacts": str(artifacts or "")}
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(json.dumps(order) + "\n")
                self._process.stdin.flush()
        except BrokenPipeError:
            return False
        before, since = left(), time.monotonic()
        while not self._drained.wait(0.1):
            now = left()
            if now < before:
                before, since = now, time.monotonic()
            patience = STALLED_WHILE_DOWN_S if self._down or flag.reason.startswith("interrupted") else STALLED_S
            if self._process.poll() is not None or time.monotonic() - since > patience:
                return self._drained.is_set()
        return True

    def close(self) -> None:
        """Ends the process at once; the outbox keeps what it has not delivered."""
        try:
            self._process.wait(timeout=1.0 if self._drained.is_set() else 0.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5.0)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                _close(pipe)
        if self._log.exists() and self._log.stat().st_size == 0:
            self._log.unlink()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            event = json.loads(line)
            if event["event"] == "drained":
                self._drained.set()
            elif event["event"] == "trouble":
                self._down = True
            elif event["event"] == "well":
                self._down = False
            if event["text"]:
                self._message(event["text"])


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what was still to be flushed has no reader any more
