"""The driver's side of the publisher's process: start it, hear from it, tell it to finish."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from study.config import StudyConfig
from study.stop_flag import StopFlag, children_ignore_interrupts

STALLED_S = 120.0  # without any delivery although MLflow answers; its requests time out long before
STALLED_WHILE_DOWN_S = 15.0  # longer than a request may take, so that one that answers again is used to the end
HURRIED_S = 3.0
RESTART_S = 1.0
RESTARTS = 5


class Publishing:
    """A running publisher. It dies with this process; one that dies by itself is replaced, a few times.

    Args:
        fence: Of the lease that the driver holds.
        message: Gets one sentence when MLflow stops or starts to answer (from another thread).
    """

    def __init__(self, config: StudyConfig, fence: int, message: Callable[[str], None]) -> None:
        self._message = message
        self._drained, self._over = threading.Event(), threading.Event()
        self._down = False
        self._order = ""
        self._log: Path = config.directory / "publisher.log"
        self._store = config.run.own_store
        self._command = [sys.executable, "-m", "study.tracking.publisher", config.name, str(fence)]
        # In a command line, everyone could read a password; the ledger has none.
        self._places = {"ledger": config.ledger_url, "tracking_uri": config.run.tracking_uri}
        self._changing = threading.Lock()  # held while the process is replaced, told to end, or ended
        self._process = self._start()
        self._reader = threading.Thread(target=self._attend, name="ockham-publishing", daemon=True)
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
        with self._changing:
            self._order = json.dumps(order)
            self._send_order()
        before, since = left(), time.monotonic()
        while not self._drained.wait(0.1):
            now = left()
            if now < before:
                before, since = now, time.monotonic()
            patience = HURRIED_S if flag.hurried else STALLED_WHILE_DOWN_S if self._down else STALLED_S
            if not self._reader.is_alive() or time.monotonic() - since > patience:
                return self._drained.is_set()
        return True

    def close(self) -> None:
        """Ends the process at once; the outbox keeps what it has not delivered."""
        self._over.set()
        with self._changing:
            try:
                self._process.wait(timeout=1.0 if self._drained.is_set() else 0.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(timeout=5.0)
        _close_pipes(self._process)
        if self._store is not None:
            _fold_in(self._store)
        if self._log.exists() and self._log.stat().st_size == 0:
            self._log.unlink()

    def _start(self) -> "subprocess.Popen[str]":
        command = [*self._command, "ending"] if self._order else self._command
        with children_ignore_interrupts(), self._log.open("a", encoding="utf-8") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        _tell(process, json.dumps(self._places))
        return process

    def _send_order(self) -> None:
        _tell(self._process, self._order)

    def _attend(self) -> None:
        """Listens; starts another process where one died. One that is done or was replaced says so."""
        for _ in range(RESTARTS):
            self._listen()
            self._process.wait()
            if self._drained.is_set() or self._over.wait(RESTART_S):
                return
            with self._changing:
                if self._over.is_set():
                    return
                _close_pipes(self._process)
                self._down = False  # the next one says so itself
                self._process = self._start()
                if self._order:
                    self._send_order()
        self._listen()
        if not self._over.is_set() and not self._drained.is_set():
            self._message(f"the publisher died {RESTARTS + 1} times; see {self._log}. Results wait in the ledger")

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            if not line.endswith("\n"):
                return  # it died in the middle of a word
            event = json.loads(line)
            if event["event"] == "drained":
                self._drained.set()
            elif event["event"] in ("replaced", "behind"):
                self._over.set()
            elif event["event"] == "trouble":
                self._down = True
            elif event["event"] == "well":
                self._down = False
            if event["text"]:
                self._message(event["text"])


def _fold_in(store: Path) -> None:
    """Puts what SQLite keeps beside a database into it, unless another study or `ockham ui` has it open."""
    if store.exists():
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(store, timeout=1.0)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the last one to close removes the files


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    try:
        if process.stdin is not None:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
    except BrokenPipeError:
        return  # it has just died; the next one is told


def _close_pipes(process: "subprocess.Popen[str]") -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except BrokenPipeError:
            continue  # what was still to be flushed has no reader any more
