"""The executor on Ray Tune. A fresh Tuner runs at each launch; nothing is ever restored from Ray's own snapshots."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from study.config import RunConfig
from study.execution.executor import Attempts, Job
from study.execution.on_ray.session import Session, ray_session

if TYPE_CHECKING:
    from study.execution.on_ray.reporting import Reporting


@contextmanager
def on_ray(run: RunConfig, wanted: Callable[[], bool]) -> Iterator["RayExecutor"]:
    """Ray for the duration of the block: see `study.execution.executor.OpenExecutor`."""
    with ray_session(run, wanted=wanted, meanwhile=_import_tune) as session:
        yield RayExecutor(session, session.slots(run))


class RayExecutor:
    """See `study.execution.executor.Executor`."""

    name = "Ray"

    def __init__(self, session: Session, slots: int) -> None:
        self._session, self.slots = session, slots

    def lives(self) -> bool:
        """See `Executor`; True of a cluster, which repairs itself or says what is wrong."""
        return self._session.lives()

    def run(self, job: Job, attempts: Attempts) -> None:
        """See `Executor`."""
        from study.execution.on_ray.lean import lean_tune
        from study.execution.on_ray.reporting import Reporting

        reporting = Reporting(attempts, works=self.lives)
        tuner = self._tuner(job, attempts, reporting)
        try:
            with lean_tune(self.slots, self._session.results, stopping=attempts.stopping):
                tuner.fit()
        except Exception:
            if reporting.failure is not None:
                raise reporting.failure from None  # Tune only passes on its text
            raise

    def _tuner(self, job: Job, attempts: Attempts, reporting: "Reporting") -> Any:
        from ray import tune

        from study.execution.on_ray.reporting import Deciding
        from study.execution.on_ray.searcher import AttemptSearcher, StopWhenAsked
        from study.execution.on_ray.worker import StudyTrial

        return tune.Tuner(
            StudyTrial,
            param_space={"job": job.to_json()},
            tune_config=tune.TuneConfig(
                search_alg=AttemptSearcher(attempts),
                scheduler=Deciding(reporting),
                num_samples=-1,
                max_concurrent_trials=self.slots,
                reuse_actors=True,
                trial_name_creator=_name,
                trial_dirname_creator=_name,
            ),
            run_config=tune.RunConfig(
                name="tune",
                storage_path=str(self._session.results),
                stop=StopWhenAsked(attempts),
                callbacks=[reporting],
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                verbose=0,
            ),
        )


def _import_tune() -> None:
    """All that takes its time to import, while Ray's processes start."""
    import study.execution.on_ray.reporting
    import study.execution.on_ray.searcher
    import study.execution.on_ray.worker
    import study.execution.recorder  # noqa: F401


def _name(trial: Any) -> str:
    return f"{trial.config['number']:04d}-{trial.config['attempt']}-{trial.trial_id}"
