"""All studies of a home side by side: what each claims, and what its data say of it. Reading them writes nothing."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.claims import Claim
from study.answer.verdict import Verdicts
from study.config import StudyConfig
from study.costs.cost import Cost, cost_so_far
from study.errors import Damaged
from study.ledger import ENDED, Ledger
from study.ledger.place import Place
from study.settings.verdicts import verdicts_of

if TYPE_CHECKING:
    from pandas import DataFrame

_OF_FINDINGS = ("claim", "condition", "role", "verdict", "estimate", "interval", "n", "planned", "unit", "by", "reason")


@dataclass(frozen=True)
class ComparedStudy:
    """A study as it stands.

    Attributes:
        ended_count: Trials that ended, failed ones included; of `config.trials`.
        failed_count: How many of them failed.
        cost: Of all its attempts.
    """

    config: StudyConfig
    ended_count: int
    failed_count: int
    cost: Cost
    verdicts: Verdicts

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.config.name

    @property
    def is_finished(self) -> bool:
        """Whether all planned trials have ended."""
        return self.ended_count >= self.config.trials

    def claim(self, name: str) -> Claim | None:
        """What it stated before its data; None for one that was stated later."""
        return next((claim for claim in self.config.space.claims if claim.name == name), None)

    def rows(self) -> list[dict[str, Any]]:
        """One row a claim and condition, JSON types."""
        return [
            {
                "study": self.name,
                **{name: getattr(found, name) for name in _OF_FINDINGS},
                "interval": list(found.planned_interval if found.by == "planned n" else found.interval),
                "says": found.says,
                "published": claim.published if (claim := self.claim(found.claim)) else "",
                "supported_if": claim.comparison.target if claim and claim.role != "description" else "",
                "source": (claim.source or self.config.space.source) if claim else "",
                "trials": self.ended_count,
            }
            for found in self.verdicts.findings
        ]


def compare_studies(place: Place, names: Sequence[str] = ()) -> tuple[list[ComparedStudy], dict[str, Damaged]]:
    """These studies (unless named all of the home) in the order of their names, and why others can't be read.

    Raises:
        StudyNotFound: One that was named does not exist.
    """
    found: list[ComparedStudy] = []
    with open_ledgers(place, names) as (ledgers, unreadable):
        for ledger in ledgers:
            try:
                found.append(look(ledger))
            except Damaged as error:
                unreadable[ledger.name] = error
    return found, unreadable


@contextmanager
def open_ledgers(place: Place, names: Sequence[str] = ()) -> Iterator[tuple[list[Ledger], dict[str, Damaged]]]:
    """The ledgers of these studies (unless named all of the home), and why others can't be opened; closed at the end.

    Raises:
        StudyNotFound: One that was named does not exist.
    """
    with ExitStack() as stack:
        ledgers: list[Ledger] = []
        unreadable: dict[str, Damaged] = {}
        for name in names or place.studies():
            try:
                ledgers.append(place.open(name))
                stack.callback(ledgers[-1].close)
            except Damaged as error:
                unreadable[name] = error
        yield ledgers, unreadable


def look(ledger: Ledger) -> ComparedStudy:
    """A study as its ledger and files have it now.

    Raises:
        Damaged: Files that a claim needs are not what was written.
    """
    counts = ledger.counts()
    ended = sum(counts[state] for state in ENDED)
    return ComparedStudy(ledger.config, ended, counts["FAILED"], cost_so_far(ledger), verdicts_of(ledger))


def networks_of(place: Place, name: str) -> "DataFrame":
    """The networks of a study's trials, with the parameters of these; as `network_frame`."""
    from study.ledger.frames import network_frame

    ledger = place.open(name)
    try:
        return network_frame(ledger.config.directory, ledger.trials(), ledger.files())
    finally:
        ledger.close()
