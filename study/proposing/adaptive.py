"""Samplers that learn: TPE, a Gaussian process, CMA-ES, NSGA-II and -III from Optuna, asked so that every proposal can
be computed again.

Trial n is proposed from trials below n − LAG that have ended, told in the order of their numbers. With one slot that is
always all of them, so the study comes out the same however often it is interrupted; with more slots the proposal says
which of them had ended (`Proposal.seen`), and asking again with those gives it again. All other trials below n are on
their way; gp also knows their parameters. Nothing random is carried over: each ask has a fresh sampler, seeded by study
and number.
"""

from collections.abc import Sequence
from typing import Any

from study.config import StudyConfig
from study.config.seen import compact
from study.ledger.rows import ENDED, Proposal, TrialRow
from study.proposing.mirror import Mirror, replay_mirror
from study.sampling.interfaces import learning

LAG = 1  # trial n is asked for while n − 1 runs, so it never depends on how that ends


class Adaptive:
    """Proposes the trials of an adaptive sampler. Keeps Optuna's view of the study between asks.

    Raises:
        UsageError: The sampler can't do what the study asks of it.
    """

    def __init__(self, config: StudyConfig) -> None:
        self._sampler = learning(config.sampler)
        self._sampler.check(config.space, [objective.metric for objective in config.objectives])
        self._config = config
        self._mirror: Mirror | None = None
        self._last = -1
        self._proposed: dict[int, dict[str, Any]] = dict(enumerate(config.configurations))

    def propose(self, number: int, history: Sequence[TrialRow]) -> Proposal:
        """The proposal for trial `number`, given the trials that there are: ended, running or queued."""
        usable = {row.number: row for row in history if row.number < number - LAG and row.state in ENDED}
        mirror = self._mirror
        if mirror is None or self._stale(mirror, number, usable):
            mirror = self._fresh(usable)
        for known in sorted(usable.keys() - mirror.told):
            mirror.tell(usable[known])
        if self._sampler.watches_running:
            self._run(mirror, number, history)
        params = mirror.ask(number)
        self._mirror, self._last = mirror, number
        self._proposed[number] = params
        return Proposal(params, role="explore", seen=compact(usable), number=number)

    def _fresh(self, usable: dict[int, TrialRow]) -> Mirror:
        if self._sampler.carries_state:
            return replay_mirror(self._config, [usable[known] for known in sorted(usable)])
        return Mirror(self._config)

    def _stale(self, mirror: Mirror, number: int, usable: dict[int, TrialRow]) -> bool:
        """Whether the mirror has gone further, or (CMA-ES) something ended that another process had asked for."""
        new = usable.keys() - mirror.told - mirror.asked
        return (
            self._last >= number
            or not mirror.told <= usable.keys()
            or (self._sampler.carries_state and any(usable[known].seen is not None for known in new))
        )

    def _run(self, mirror: Mirror, number: int, history: Sequence[TrialRow]) -> None:
        rows = {row.number: row for row in history}
        for other in range(number):
            if other in mirror.told:
                continue
            if row := rows.get(other):
                mirror.run(other, row.proposed, row.params)
            elif other in self._proposed:
                mirror.run(other, self._proposed[other], {})
