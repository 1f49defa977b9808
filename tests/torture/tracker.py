"""What may answer in the place of an MLflow server, sixteen kinds of it, in the middle of a study's publishing.

    python -m tests.torture.tracker [KIND …] [--times 30] [--seed 0]

A study's results are published trial by trial to a real server, through a proxy that answers in the given way for some
of the requests, from a random one on, for a while or until the driver gives up. Then the study is resumed with a proxy
that passes everything on. Each time MLflow has to end up with what an undisturbed study leaves there: every run once,
whole and ended, nothing set aside, nothing waiting in the ledger.
"""

import argparse
import contextlib
import io
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from study.config import StudyConfig
from study.execution.results import networks_file
from study.ledger import Ledger, State
from study.proposing import Proposer
from study.tracking.delivering import Publisher
from study.tracking.publisher import _QUIET
from tests.integration import driving
from tests.integration.trials_for_tests import quick
from tests.torture.faults import FAULTS, REQUEST_S
from tests.torture.snapshot import Snapshot, differences, tracked
from tests.torture.tracking import Fault, Proxy, Server
from trainables.trial import TrialContext

TRIALS = 3
PATIENCE = 3  # rounds in trouble after which a driver's publisher is ended
ATTEMPTS = 8  # to end a resumed study: what was carried out late is looked for with fresh eyes


@dataclass
class Spell:
    """When a fault answers: from which request on, how often, of how many of them.

    Attributes:
        times: How often at most; None: until the driver gives up.
    """

    fault: Fault
    after: int
    times: int | None
    share: float
    chance: random.Random
    seen: int = field(default=0, init=False)
    done: int = field(default=0, init=False)

    def __call__(self) -> Fault | None:
        """What answers the next request."""
        self.seen += 1
        over = self.times is not None and self.done >= self.times
        if self.seen <= self.after or over or self.chance.random() > self.share:
            return None
        self.done += 1
        return self.fault


def spell(kind: str, turn: int) -> Spell:
    """A random one, the same each time."""
    chance = random.Random(f"{kind} {turn}")
    times = chance.choice((1, 2, 5, 12, None))
    return Spell(FAULTS[kind], chance.randrange(30), times, chance.choice((0.5, 1.0)), chance)


def published(home: Path, name: str, proxy: Proxy, fault: Callable[[], Fault | None]) -> tuple[Snapshot, list[str]]:
    """What MLflow and the ledger have in the end, and what was said meanwhile."""
    said: list[str] = []
    ledger = Ledger.create(f"sqlite:///{home / name / 'study.db'}", _config(home, name, proxy.uri))
    try:
        ledger.acquire()
        proxy.fault = fault
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if _driven(ledger, said):
                proxy.fault = lambda: None
            else:
                proxy.fault = lambda: None
                while proxy.busy:  # a server that is that late would be noticed by the next resume only
                    time.sleep(0.05)
                _resumed(ledger, said)
        found = tracked(proxy.server.store, ledger)
        found["ledger/outbox"], found["ledger/aside"] = ledger.outbox_size(), str(ledger.refused_values())
        return found, said
    finally:
        ledger.close()


def _driven(ledger: Ledger, said: list[str]) -> bool:
    """Trials run, and are published meanwhile; whether that came to an end."""
    publisher, trouble = Publisher(ledger, lambda _, text: said.append(text)), 0
    for _ in _work(ledger):
        if trouble < PATIENCE:
            publisher.round()
            trouble += publisher.pause_s > 0.5
    while trouble < PATIENCE:
        if publisher.end("FINISHED", {}, None):
            return True
        trouble += 1
    return False


def _resumed(ledger: Ledger, said: list[str]) -> None:
    publisher = Publisher(ledger, lambda _, text: said.append(text))
    for _ in range(ATTEMPTS):
        if publisher.end("FINISHED", {}, None):
            return
    raise RuntimeError(f"a resumed study could not tell an MLflow that answers: {said}")


def _work(ledger: Ledger) -> Iterator[None]:
    """Three trials, a pause wherever something was recorded."""
    config = ledger.config
    proposer = Proposer(config)
    for number in range(TRIALS):
        ledger.propose([proposer.propose(number, [], added=0)])
        attempt = ledger.start_attempt(number)
        yield
        trial = config.space.config(ledger.trial(number).proposed, config.seed)
        records = [record for record in quick(trial, TrialContext(number, config.run.data_path)) if record is not None]
        ledger.record(number, attempt, records[:2])
        yield
        state: State = "FAILED" if number == 1 else "COMPLETE"
        with networks_file(config.directory, number, records[-1].networks) as file:
            why = "ValueError: no" if state == "FAILED" else None
            ledger.finish(number, attempt, state, records=records, error=why, results=[file])
        yield


def _config(home: Path, name: str, uri: str) -> StudyConfig:
    config = driving.config(home, name, TRIALS, progress=False, tracking_uri=uri)
    config.directory.mkdir(parents=True)
    return config


@contextmanager
def impatient_client() -> Iterator[None]:
    """MLflow's client inside waits for a second, and tries twice."""
    own = {**_QUIET, "MLFLOW_HTTP_REQUEST_TIMEOUT": str(REQUEST_S), "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def turns(folder: Path, kinds: list[str], times: int, seed: int = 0) -> Iterator[tuple[str, list[str], int]]:
    """(kind, what is not as in an undisturbed study, how often the fault answered) of each study."""
    proxy = Proxy(Server(folder / "server"))
    try:
        with impatient_client():
            calm, _ = published(folder / "home", "calm", proxy, lambda: None)
            for kind in kinds:
                for turn in range(seed, seed + times):
                    when = spell(kind, turn)
                    found, said = published(folder / "home", f"{kind}-{turn}", proxy, when)
                    wrong = differences(calm, found)
                    yield kind, [*wrong, *said] if wrong else [], when.done
    finally:
        proxy.close()
        proxy.server.kill()


def main() -> int:
    """Does each so often; 1 if one ended otherwise than an undisturbed study."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.tracker", description=__doc__.split("\n", 1)[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(FAULTS))
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    studies, hit, wrong = Counter[str](), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="ockham-tracker-", ignore_cleanup_errors=True) as folder:
        for kind, differing, faults in turns(Path(folder), options.kinds or list(FAULTS), options.times, options.seed):
            studies[kind] += 1
            hit[kind] += faults
            wrong[kind] += bool(differing)
            for line in differing:
                print(f"{kind}: {line}")
            if studies[kind] == options.times:
                print(f"{kind}: {studies[kind]} studies, {hit[kind]} requests, {wrong[kind]} differ", flush=True)
    return 1 if wrong.total() else 0


if __name__ == "__main__":
    sys.exit(main())
