"""Worker side: runs `trainables.trial.run_trial` (or another generator like it) inside a Ray actor.

The actor is reused from trial to trial. `step` returns at a boundary of the trial, at the latest after two seconds,
so that a stop is never waited for longer. Whatever a trial raises is a result too (state FAILED, with the reason and
the traceback); only a worker that can't be trusted any more goes down with its trial.
"""

import contextlib
import logging
import os
import pickle
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import ray
from ray.tune import PlacementGroupFactory, Trainable

from study.execution.attempt import begin, trial_function
from study.execution.executor import Assignment, Job, Report
from study.execution.on_ray import trial_log
from study.passwords import MaskedStream, remember

if TYPE_CHECKING:
    from trainables.record import Record

LONGEST_STEP_S = 2.0
REPORT_S = 0.2  # boundaries that follow each other faster are reported together


class StudyTrial(Trainable):
    """One slot of a study: trial after trial.

    Its Ray config holds the fields of an `Assignment` and `job`, a `Job` as JSON that is the same for all trials.
    """

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        """What one trial needs."""
        job = Job.from_json(config["job"])
        wanted = {"CPU": job.cpus, "GPU": job.gpus}
        return PlacementGroupFactory([{name: amount for name, amount in wanted.items() if amount}])

    def setup(self, config: dict[str, Any]) -> None:
        """Takes the first trial; it starts in the first `step`, where exceptions are results."""
        # Before torch looks: memory that was given back in one piece can be taken in others.
        if "PYTORCH_CUDA_ALLOC_CONF" not in os.environ:  # the older name, which would no longer be read
            os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
        self._job = Job.from_json(config["job"])
        with contextlib.suppress(Exception):  # raised again by that step
            trial_function(self._job)  # torch takes seconds: before the trial counts as started
        self._log: TextIO | None = None
        self._running: Iterator[Record | None] | None = None
        self._node = ray.get_runtime_context().get_node_id()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next trial."""
        self.cleanup()
        self.config, self._job = new_config, Job.from_json(new_config["job"])
        return True

    def cleanup(self) -> None:
        """Lets the current trial go."""
        if self._running is not None:
            close = getattr(self._running, "close", None)
            self._running = None
            if close is not None:
                close()
        if self._log is not None:
            self._log.close()
            self._log = None

    def step(self) -> dict[str, Any]:
        """Drives the trial to its next boundary.

        Returns:
            `report`: a Report, of whose records the last says how the trial ended; with it also `done`.
        """
        begun = time.monotonic()
        reports: list[Record] = []
        try:
            with self._logging():
                if self._running is None:
                    self._running = self._start()
                for record in self._running:
                    if record is not None:
                        reports.append(record)
                        print(trial_log.line(record, time.time()))  # into its log
                    spent = time.monotonic() - begun
                    if spent >= LONGEST_STEP_S or (reports and spent >= REPORT_S):
                        return self._result(Report(tuple(reports)))
        except (Exception, SystemExit) as error:
            return self._failure(reports, error)
        self.cleanup()
        return self._result(Report(tuple(reports), "COMPLETE"))

    def _start(self) -> "Iterator[Record | None]":
        trial_function(self._job)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(max(1, int(self._job.cpus)))
        own = self.config
        return begin(self._job, Assignment(own["number"], own["attempt"], own["config"], own["cell"]))

    def _folder(self) -> Path:
        return Path(self._job.directory) / "trials" / f"{self.config['number']:04d}"

    @contextlib.contextmanager
    def _logging(self) -> Iterator[None]:
        """What the trial prints and logs goes to its `log.txt`."""
        if self._log is None:
            remember(self._job.checkpoints[0])
            self._log = cast(TextIO, MaskedStream(cast(TextIO, trial_log.TrialLog(self._folder() / "log.txt"))))
            self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} attempt {self.config['attempt']}\n")
        handler = logging.StreamHandler(self._log)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(min(level, logging.INFO))
        try:
            with contextlib.redirect_stdout(self._log), contextlib.redirect_stderr(self._log):
                yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)

    def _failure(self, reports: "list[Record]", error: BaseException) -> dict[str, Any]:
        text = "".join(traceback.format_exception(error))
        if self._log is not None:
            self._log.write(text)
        reason = f"{type(error).__name__}: {error}".strip().removesuffix(":")
        self.cleanup()
        from trainables.errors import DeviceFailed, device_failed, without_frames

        without_frames(error)  # which hold the trial's tensors
        if device_failed(error):
            raise DeviceFailed(reason)  # down with its process; the trial runs again
        if "torch" in sys.modules:
            from trainables.device import release

            release()
        return self._result(Report(tuple(reports), "FAILED", reason, text))

    def _result(self, report: Report) -> dict[str, Any]:
        return {"report": pickle.dumps(report), "node": self._node, "done": report.end_state is not None}
