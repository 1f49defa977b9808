"""What is said of measures and the generalization gap: a row a measure, and the table of all."""

from dataclasses import asdict, dataclass, replace

import pandas as pd

from study.answer.pairwise import Estimate
from study.answer.selection import short
from study.answer.words import join_words, plural

FALSE_SHARE = 0.10
NONE = Estimate()


@dataclass(frozen=True)
class GapAssociation:
    """What the units of a study say of one measure and the gap.

    Attributes:
        name: `norms/path` and the like, or `compressibility/auc`.
        association: Rank correlation pooled over strata, with 95 % for this measure alone: by Student's t where the
            study ended as planned, else the confidence sequence. Positive: the larger, the larger the gap.
        tau: Kendall's τ-b over the pairs of a stratum.
        p: Two-sided, by permutation within strata; valid at the planned number of trials.
        e: Evidence at any time, ≥ 1; 1/e bounds the p of whoever stopped when it suited.
        q: The smallest share of false ones at which this one is among those found: from p where the study ended as
            planned, else from e.
        psi, cmi: See `study.answer.pairwise`.
        partial: Rank correlation within strata of what the norm and the margin of `CONTROLS` leave of both.
        n, pairs, strata: Units, pairs of a stratum, and strata with more than one unit.
        reason: Why there is no association, "" where there is.
        says: What the measure is, in a line.
    """

    name: str
    association: Estimate = NONE
    tau: float | None = None
    p: float | None = None
    e: float | None = None
    q: float | None = None
    psi: Estimate = NONE
    cmi: Estimate = NONE
    partial: Estimate = NONE
    n: int = 0
    pairs: int = 0
    strata: int = 0
    reason: str = ""
    says: str = ""

    @property
    def is_discovery(self) -> bool:
        """Whether it is among the measures of which at most a tenth is expected to be false."""
        return self.q is not None and self.q <= FALSE_SHARE


@dataclass(frozen=True)
class GapTable:
    """All measures of one or several studies, the strongest associations first, the undefined ones last.

    Attributes:
        as_planned: Whether intervals and q are those of the planned number of trials, or hold at any time.
        within: What strata fix, in words.
        excluded: Why units are left out → how many.
        alike: The most measures that order the units of every stratum alike, or exactly reversed: what is said of one
            of them is said of all. () where no two do.
        alike_fields: Training fields that order the units as these measures do.
    """

    rows: tuple[GapAssociation, ...]
    as_planned: bool
    within: tuple[str, ...]
    excluded: dict[str, int]
    alike: tuple[str, ...] = ()
    alike_fields: tuple[str, ...] = ()

    @property
    def num_tested(self) -> int:
        """How many measures have an association."""
        return sum(row.q is not None for row in self.rows)

    @property
    def discoveries(self) -> tuple[GapAssociation, ...]:
        """The measures with q ≤ .10."""
        return tuple(row for row in self.rows if row.is_discovery)

    @property
    def notes(self) -> list[str]:
        """What a reader of the table has to know, in sentences."""
        how = "Benjamini–Hochberg over their p" if self.as_planned else "over their e-values"
        notes = [
            f"{len(self.discoveries)} of {plural(self.num_tested, 'measure')} tested are found to track the gap, "
            f"of which at most {100 * FALSE_SHARE:.0f} % are expected to be false ({how})."
        ]
        several = "study" in self.within
        if self.as_planned:
            subject = "The studies" if several else "The study"
            notes.append(
                f"{subject} ended as planned; intervals are those of Student’s t, 95 % for each measure alone."
            )
        else:
            subject = "A study" if several else "The study"
            state = "is not over, was stopped early or extended"
            notes.append(f"{subject} {state}: q and intervals are those that hold at any time.")
        if len(self.alike) > 1:
            follow = f", as {join_words([short(name) for name in self.alike_fields])} does" if self.alike_fields else ""
            notes.append(
                f"{len(self.alike)} of them order the units of every stratum alike, or exactly reversed{follow}: "
                "what is said of one is said of all, and this study does not tell them apart."
            )
        notes += [f"{plural(count, 'unit')} left out: {why}." for why, count in self.excluded.items()]
        why: dict[str, list[str]] = {}
        for row in self.rows:
            if row.reason:
                why.setdefault(row.reason, []).append(row.name)
        return notes + [f"Not tested, {reason}: {', '.join(names)}." for reason, names in why.items()]

    def as_json(self) -> dict[str, object]:
        """JSON types only."""
        rows = [{**asdict(row), "found": row.is_discovery} for row in self.rows]
        return {**asdict(replace(self, rows=())), "false_share": FALSE_SHARE, "tested": self.num_tested, "rows": rows}

    def as_frame(self) -> pd.DataFrame:
        """One row a measure, for CSV."""
        records = []
        for row in self.rows:
            record: dict[str, object] = {"measure": row.name}
            for name in ("association", "psi", "cmi", "partial"):
                one: Estimate = getattr(row, name)
                record |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
            record |= {name: getattr(row, name) for name in ("tau", "p", "e", "q")} | {"found": row.is_discovery}
            records.append(record | {name: getattr(row, name) for name in ("n", "pairs", "strata", "reason", "says")})
        return pd.DataFrame(records)
