"""Where the backlog gets proposals from: in place, or from a process of its own where asking takes its time."""

import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any, Protocol

from study.config import StudyConfig
from study.ledger import Proposal, TrialRow
from study.proposing import Proposer
from study.stop_flag import children_ignore_interrupts


class ProposalSource(Protocol):
    """Where a driver's proposals come from: it asks for some, and takes them when they have come."""

    def ask(self, numbers: Sequence[int], history: Sequence[TrialRow], added: int) -> None:
        """Asks for the proposals of `numbers`.

        Args:
            history: The trials that have ended or were on their way when the driver started; the list only ever grows.
            added: Trials of lower numbers that were put into the queue by hand.
        """

    def take(self, *, wait_s: float) -> list[Proposal]:
        """As much as has come of what was asked for, in its order; waits for the first at most `wait_s`, then []."""

    def close(self) -> None:
        """Asks for nothing any more."""


def proposal_source(config: StudyConfig) -> ProposalSource:
    """The source that suits the study's sampler."""
    return ProposerProcess(config) if config.learns else ProposerInPlace(config)


class ProposerInPlace:
    """Computes proposals when they are taken."""

    def __init__(self, config: StudyConfig) -> None:
        self._proposer = Proposer(config)
        self._asked: tuple[Sequence[int], Sequence[TrialRow], int] = ((), (), 0)

    def ask(self, numbers: Sequence[int], history: Sequence[TrialRow], added: int) -> None:
        """See `ProposalSource`."""
        self._asked = (numbers, history, added)

    def take(self, *, wait_s: float) -> list[Proposal]:
        """See `ProposalSource`; here it is all of it."""
        (numbers, history, added), self._asked = self._asked, ((), (), 0)
        return [self._proposer.propose(number, history, added=added) for number in numbers]

    def close(self) -> None:
        """See `ProposalSource`."""


class ProposerProcess:
    """Computes proposals in a process of its own, `python -m study.execution.asking`.

    TPE takes 36 ms at 500 trials and 400 at 10,000, which the driver's thread has no time for.
    """

    def __init__(self, config: StudyConfig) -> None:
        with children_ignore_interrupts():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "study.execution.asking"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        self._told = 0
        self._waiting = 0
        self._answers: queue.SimpleQueue[Proposal | str] = queue.SimpleQueue()
        self._send(config.model_dump_json())
        threading.Thread(target=self._listen, name="ockham-asker", daemon=True).start()

    def ask(self, numbers: Sequence[int], history: Sequence[TrialRow], added: int) -> None:
        """See `ProposalSource`; sends only what has ended since the last call."""
        self._send((list(numbers), list(history[self._told :]), added))
        self._told = len(history)
        self._waiting += len(numbers)

    def take(self, *, wait_s: float) -> list[Proposal]:
        """See `ProposalSource`.

        Raises:
            RuntimeError: The sampler failed; with its message.
        """
        found: list[Proposal] = []
        while self._waiting:
            try:
                answer = self._answers.get(block=not found and wait_s > 0, timeout=wait_s)
            except queue.Empty:
                break
            if isinstance(answer, str):
                raise RuntimeError(f"the sampler failed: {answer}")
            self._waiting -= 1
            found.append(answer)
        return found

    def close(self) -> None:
        """Ends the process; it holds nothing that could be lost."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, message: Any) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the asker's input is closed")
        pickle.dump(message, self._process.stdin)
        self._process.stdin.flush()

    def _listen(self) -> None:
        try:
            while self._process.stdout is not None:
                self._answers.put(pickle.load(self._process.stdout))  # noqa: S301 - from our own child
        except (EOFError, ValueError, OSError, pickle.UnpicklingError):
            self._answers.put("its process ended")


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """The asker's process: answers until its input ends, as it does when the driver dies.

    Args:
        requests: Pickles: the study's config as JSON, then triples of numbers, newly ended trials, and the
            number of those added by hand.
        answers: Gets each proposal as soon as it is there (a slow sampler lets a trial start before it has proposed
            all), or a message if the sampler raised.
    """
    proposer = Proposer(StudyConfig.model_validate_json(pickle.load(requests)))  # noqa: S301 - from our own parent
    history: list[TrialRow] = []
    while True:
        try:
            numbers, ended, added = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        history += ended
        for number in numbers:
            try:
                answer: Proposal | str = proposer.propose(number, history, added=added)
            except Exception as error:
                answer = f"{type(error).__name__}: {error}"
            pickle.dump(answer, answers)
            answers.flush()


if __name__ == "__main__":
    own_stdout = sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that prints must not break the protocol
    serve(sys.stdin.buffer, own_stdout)
