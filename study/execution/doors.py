"""What a driver meets the outside through, together: an executor, a clock, a tracker, files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from study.clock import WALL_CLOCK, Clock
from study.config import StudyConfig
from study.execution.asking import ProposalSource, proposal_source
from study.execution.executor import OpenExecutor
from study.execution.files import Files, StudyFolder
from study.execution.on_ray.executor import on_ray
from study.tracking.publishing import Publishing
from study.tracking.tracker import OpenTracker


@dataclass(frozen=True)
class Doors:
    """One of each; the driver does not know which.

    Attributes:
        executor: Where trials run.
        tracker: Who is told of them.
        files: Of a study in that folder, with waiting by that clock.
        clock: Which everything waits and measures by.
        source: Of proposals; may compute them in a process of its own.
    """

    executor: OpenExecutor = on_ray
    tracker: OpenTracker = Publishing
    files: Callable[[Path, Clock], Files] = StudyFolder
    clock: Clock = WALL_CLOCK
    source: Callable[[StudyConfig], ProposalSource] = proposal_source


REAL = Doors()
