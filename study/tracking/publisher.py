"""The publisher's process: drains the outbox into MLflow and keeps Optuna's tables in step with the ledger.

    python -m study.tracking.publisher NAME FENCE [ending]

Commands come as JSON lines on stdin (the first says where ledger and MLflow are: in a command line, everyone could
read their passwords), events go as JSON lines to stdout (see `study.tracking.publishing`, the driver's side). While
MLflow is down it waits and tries again; nothing here can hurt the study. What a server lost (it came back with an
empty store) it is told again from the ledger. The process ends when its input does, as when the driver dies, and a
lock makes sure that a study never has two.
"""

import contextlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, TextIO, cast

from filelock import FileLock

from study.crash_points import crash_if_asked
from study.errors import LeaseLost, StudyNotFound
from study.ledger import Ledger
from study.passwords import MaskedStream, mask_passwords, remember
from study.tracking.delivering import Publisher
from study.tracking.projecting import Projection

NICENESS = 15
LAST_ROUND_S = 10.0  # for what is under way when the last trial has ended
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def serve(ledger: Ledger, commands: IO[str], say: Callable[[str, str], None], *, trials_run: bool = True) -> None:
    """Publishes until told to end, or until `commands` ends."""
    driver = _Driver(commands)
    publisher, projection = Publisher(ledger, say), Projection(ledger)
    if trials_run:
        _publish_behind(driver, publisher, projection)
    else:
        driver.heard.wait()
    pause_s = 0.0
    publisher.hurry()
    while not driver.gone.wait(pause_s):
        projected = projection.update(last=True)
        if publisher.end(driver.order["status"], driver.order["summary"], driver.order["artifacts"]):
            crash_if_asked("drained")
            if projected or projection.insist():
                say("drained", "")
            else:
                say("behind", "Optuna's tables lack the latest results; resume the study later, and they get them")
            return
        pause_s = publisher.pause_s


def _publish_behind(driver: "_Driver", publisher: Publisher, projection: Projection) -> None:
    """Steps back until the driver wants an end.

    A thread that has stepped back can't step forward again, so that it is one of its own. Where others keep the machine
    busy, its last round may take minutes: then this process ends, and the driver starts one that stays in front.
    """
    with ThreadPoolExecutor(1, initializer=_step_back) as beside:
        delivering = beside.submit(_while_trials_run, driver, publisher, projection)
        delivering.add_done_callback(lambda _: driver.heard.set())
        driver.heard.wait()
        try:
            delivering.result(LAST_ROUND_S)
        except TimeoutError:
            os._exit(1)


def _while_trials_run(driver: "_Driver", publisher: Publisher, projection: Projection) -> None:
    pause_s = 0.0
    while not driver.heard.wait(pause_s):
        pause_s = 0.0 if publisher.round() else publisher.pause_s
        projection.update()  # after MLflow, where people look first: loading Optuna's storage takes half a second


def _step_back() -> None:
    """Behind the workers: preparing MLflow takes seconds of a processor that the first trials need."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)  # of this thread, on Linux


class _Driver:
    """What is heard from the driver.

    Attributes:
        order: How to end, once `heard` is set.
        gone: Set when it has died.
    """

    def __init__(self, commands: IO[str]) -> None:
        self.heard, self.gone = threading.Event(), threading.Event()
        self.order: dict[str, Any] = {}
        threading.Thread(target=self._listen, args=(commands,), daemon=True).start()

    def _listen(self, commands: IO[str]) -> None:
        for said in commands:
            if not said.endswith("\n"):
                break  # it died in the middle of a word
            self.order = json.loads(said)
            self.heard.set()
        self.gone.set()
        self.heard.set()


def main(arguments: Iterable[str]) -> None:
    """Entry point of the process."""
    name, fence, *ending = arguments
    first = sys.stdin.readline()
    if not first:
        return  # the driver is gone
    places = json.loads(first)
    for address in places.values():
        remember(address)
    os.environ.update(_QUIET)
    logging.disable(logging.WARNING)  # alembic's migrations, MLflow's hints
    sys.stderr = cast(TextIO, MaskedStream(sys.stderr))  # the log
    events, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not break the protocol

    def say(event: str, text: str) -> None:
        print(json.dumps({"event": event, "text": mask_passwords(text)}), file=events, flush=True)

    with contextlib.suppress(BrokenPipeError):  # the driver is gone
        try:
            ledger = Ledger.open(places["ledger"], name).with_fence(int(fence))
            run = ledger.config.run.model_copy(update=places)
            ledger.config = ledger.config.model_copy(update={"run": run})
            with FileLock(ledger.config.directory / ".publisher.lock"):
                serve(ledger, sys.stdin, say, trials_run=not ending)
        except (LeaseLost, StudyNotFound):
            say("replaced", "")  # another driver, with a publisher of its own, took over; or the study was deleted


if __name__ == "__main__":
    main(sys.argv[1:])
