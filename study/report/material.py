"""What every figure draws from: the frames of a study, cut the ways that figures need."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from study.answer.selection import (
    TrialGroup,
    column,
    conditions,
    counted_trials,
    instruments,
    is_continuous,
    numbers,
    short,
    task_of,
)
from study.answer.value_words import in_order
from study.answer.value_words import label as value_label
from study.answer.verdict import Verdicts
from study.config import StudyConfig
from study.ledger.files import EXAMPLES, ListedFile, result_of
from trainables.data.task import Task

if TYPE_CHECKING:
    from study.report.examples import Scored

_MOST_PANELS = 12


@dataclass(frozen=True)
class RecordedTrial:
    """What counting votes asks of a trial."""

    number: int
    cell: str | None
    params: dict[str, Any]


@dataclass(frozen=True)
class Facet:
    """The trials of one panel.

    Attributes:
        label: Condition, and instrument where that has its own row of panels.
        noisy: Whether the replicates were given anything but the true data.
        trials: Rows of the trials.
        networks: Rows of their networks.
        mixed: Whether they were compressed in different ways, over which no mean nor interval is meant.
    """

    label: str
    noisy: bool
    trials: pd.DataFrame
    networks: pd.DataFrame
    mixed: bool = False


@dataclass(frozen=True)
class Material:
    """A study as the report sees it.

    Args:
        config: Of the study.
        trials: All trials, whatever their state.
        networks: One row per trial, arm, network and level; may be empty.
        verdicts: What is known of the study's claims.
        listed_files: Files of results as the ledger knows them.
    """

    config: StudyConfig
    trials: pd.DataFrame
    networks: pd.DataFrame
    verdicts: Verdicts
    listed_files: Sequence[ListedFile] = ()

    def result(self, name: str) -> bytes | None:
        """The content of a file of results, e.g. `trials/0007/arrays.npz`; None where there is none.

        Raises:
            ValueError: It is not what was written.
            OSError: It can't be read.
        """
        path = self.config.directory / name
        known = next((file for file in self.listed_files if file.name == name), None)
        content = path.read_bytes() if path.is_file() else None
        if known is not None and (trouble := known.trouble(content)):
            raise ValueError(f"{name} {trouble}")
        return content

    @cached_property
    def examples(self) -> "list[Scored]":
        """Scores of training examples, of every condition and arm; [] where no trial recorded them.

        Raises:
            Damaged: Files of results are not what was written.
        """
        from study.report.examples import scored_examples

        folder, known = self.config.directory, {file.name for file in self.listed_files}
        names = [name for name in self.trials.columns if name.startswith(("data.", "compression."))]
        trials = [
            RecordedTrial(
                int(row["number"]),
                cell if isinstance(cell := row.get("cell"), str) else None,
                {name: row[name] for name in names if not _missing(row[name])},
            )
            for row in self.trials.to_dict("records")
            if (file := result_of(int(row["number"]), EXAMPLES)) in known or (folder / file).is_file()
        ]
        return scored_examples(folder, trials, self.listed_files, influences=True)

    @cached_property
    def trials_csv(self) -> str:
        """All trials, to be saved."""
        return self.trials.to_csv(index=False)

    @cached_property
    def task(self) -> Task:
        """What the networks were asked for: it has the score and what people call it."""
        return task_of(self.trials, self.networks)

    @property
    def below_zero(self) -> str:
        """A sentence for captions of scores that can be negative, "" where they can't."""
        return "" if self.task.has_classes else f" {self.task.label} below 0 is drawn at 0."

    @cached_property
    def counted_trials(self) -> pd.DataFrame:
        """The design trials that ended COMPLETE: all that figures show."""
        return counted_trials(self.trials)

    @cached_property
    def groups(self) -> list[TrialGroup]:
        """Conditions, the clean one first if there are trials with true data."""
        noisy = conditions(self.counted_trials) if len(self.counted_trials) else []
        taken = [index for group in noisy for index in group.trials.index]
        clean = self.counted_trials.drop(index=taken)
        return ([TrialGroup("true labels", "", 0.0, False, clean)] if len(clean) else []) + noisy

    @cached_property
    def noisy_groups(self) -> list[TrialGroup]:
        """Conditions under which something can be memorised, and placebos."""
        return [group for group in self.groups if group.label != "true labels"]

    @cached_property
    def instrument(self) -> str:
        """The spanned field of the compression that gets panels or colours of its own; "" if there is none."""
        fields = (
            [f for f in instruments(self.counted_trials) if 2 <= self.counted_trials[f].nunique() <= 6]
            if len(self.counted_trials)
            else []
        )
        preferred = ("compression.transfer", "compression.criterion", "compression.method", "compression.recovery")
        return next((field for field in preferred if field in fields), fields[0] if fields else "")

    @cached_property
    def facets(self) -> list[Facet]:
        """One per condition and value of the instrument; instruments are pooled where that makes too many panels."""
        split = self.instrument
        if split and len(self.groups) * self.counted_trials[split].nunique() > _MOST_PANELS:
            split = ""
        found = []
        values: list[Any] = [None]
        if split:
            values = sorted(self.counted_trials[split].unique(), key=lambda value: in_order((str(value),)))
        for value in values:
            for group in self.groups[:_MOST_PANELS]:
                rows = group.trials if value is None else group.trials[group.trials[split] == value]
                label = group.label if value is None else f"{group.label} · {value_label((str(value),))}"
                if len(rows):
                    mixed = bool(instruments(rows))
                    found.append(Facet(label, group.label != "true labels", rows, self.networks_of(rows), mixed))
        return found

    @cached_property
    def has_noise(self) -> bool:
        """Whether any network was given something to memorise."""
        return bool(self.noisy_groups)

    @property
    def panel_size(self) -> tuple[float, float]:
        """Width and height of a panel per condition: larger where there are few."""
        return (340.0, 262.0) if self.facet_columns > 2 else (520.0, 310.0)

    @property
    def facet_columns(self) -> int:
        """Panels side by side, so that a row of panels is one instrument."""
        columns = len(self.groups)
        if columns == 1:
            return 3 if len(self.facets) % 3 == 0 else min(len(self.facets), 2)
        return next(c for c in (columns, 3, 4) if c <= 4)

    def networks_of(self, trials: pd.DataFrame) -> pd.DataFrame:
        """Rows of the networks of some trials."""
        if "trial" not in self.networks.columns:
            return self.networks.head(0)
        return self.networks[self.networks["trial"].isin(trials["number"])]

    @cached_property
    def spanned_fields(self) -> list[str]:
        """Dotted names that the counted trials take more than one value of, spanned ones of the space first."""
        frame = self.counted_trials
        return [name for name in self.config.space.span if name in frame.columns and frame[name].nunique() > 1]

    def categories(self, trials: pd.DataFrame) -> pd.Series:
        """The value of the instrument of each trial, "" without one."""
        return column(trials, self.instrument, "").astype(str) if self.instrument else column(trials, "-", "")


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


__all__ = ["Facet", "Material", "TrialGroup", "column", "is_continuous", "numbers", "short"]
