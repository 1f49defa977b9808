"""The scores of a study's training examples, and what can be shown of them: images, and names of files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.ballots import Ballot, ballots
from study.answer.influence import influence
from study.answer.memorisation import Memorisation, memorisation
from study.answer.mislabelled import mislabelled_shares
from study.answer.votes import Votes
from study.config import StudyConfig
from study.ledger.files import ListedFile
from study.ledger.frames import example_frame, example_tables, right_on_test_examples

Scored = tuple[Ballot, Memorisation | None]


def scored_examples(
    directory: Path, trials: Sequence[Any], listed: Sequence[ListedFile], *, influences: bool = False
) -> list[Scored]:
    """Each condition and arm with the scores of its examples; None where no example has the same label twice.

    Args:
        directory: Of the study.
        trials: Rows of the ledger.
        listed: As for `network_frame`.
        influences: Whether the test example that each training example helps most is looked for: columns `influence`,
            `influence_se`, `on_test`, and `certain`, where that is more than chance makes of so many pairs.
    Raises:
        Damaged: Files of results are not what was written.
    """
    known = (lambda row: right_on_test_examples(directory, row, listed)) if influences else (lambda row: None)
    counted = ballots(example_tables(directory, trials, listed), known)
    there = [(one.votes, one.rule) for one in counted if one.votes is not None]
    wrong = iter(mislabelled_shares(there))
    return [(one, None if one.votes is None else _score(one.votes, next(wrong))) for one in counted]


def _score(votes: Votes, wrong: Any) -> Memorisation:
    found = replace(memorisation(votes), mislabelled_share=wrong)
    if votes.test_right is None:
        return found
    most = influence(votes.given_mask, votes.test_right)
    told = {"influence": most.largest, "influence_se": most.errors, "on_test": most.on, "certain": most.certain}
    return replace(found, examples=found.examples.assign(**told), pairs=most.pairs)


@dataclass(frozen=True)
class Shown:
    """What the examples of a study are, where its data are at hand.

    Attributes:
        images, test_images: [n, C, H, W]; None where examples are no images.
        files, test_files: Name of the file of each; None where data are in no files of their own.
        test_labels: [m], true ones.
    """

    images: npt.NDArray[Any] | None
    test_images: npt.NDArray[Any] | None
    test_labels: npt.NDArray[Any]
    files: Sequence[str] | None
    test_files: Sequence[str] | None

    def with_files(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table of examples with columns `file`, and `test_file` where it says `on_test`; itself without files."""
        if self.files is None or self.test_files is None:
            return table
        names = np.asarray(self.files, dtype=object)
        # Copies of an example follow all of them.
        named = table.assign(file=names[table["example"].to_numpy() % len(names)])
        if "on_test" in table.columns:
            named["test_file"] = np.asarray(self.test_files, dtype=object)[table["on_test"].to_numpy()]
        return named


def shown_data(config: StudyConfig, true_labels: npt.NDArray[Any]) -> Shown | str:
    """What can be shown of a study's examples, or why nothing can.

    Args:
        true_labels: [n], as trials recorded them: data of other labels are not those that trials read.
    """
    from trainables.data.interfaces import dataset_of
    from trainables.data.loading import example_files, load_split
    from trainables.errors import DataUnavailable

    space = config.space
    data = space.config({name: spanned.corners()[0] for name, spanned in space.span.items()}, config.seed).data
    place = config.run.data_path
    try:
        split, named = load_split(data, config.seed, place), example_files(data, config.seed, place)
    except (DataUnavailable, ValueError) as error:
        return f"The examples can't be shown where the data are not ({error})."
    if not np.array_equal(np.tile(split.train_labels, data.copies), true_labels):
        return f"The examples can't be shown: {data.name} at {place} has other labels than those that trials read."
    pictures = dataset_of(data).has_images
    files, test_files = named or (None, None)
    return Shown(
        split.train_images if pictures else None,
        split.test_images if pictures else None,
        split.test_labels,
        files,
        test_files,
    )


def name_files(
    config: StudyConfig, found: Sequence[tuple[Ballot, Memorisation]]
) -> Sequence[tuple[Ballot, Memorisation]]:
    """Scores whose tables name the files of examples, where these are at hand; those of other data stay as they are."""
    labels = found[0][1].examples["true_label"]
    shown = shown_data(config, labels.to_numpy())
    if isinstance(shown, str):
        return found
    return [
        (ballot, replace(one, examples=shown.with_files(one.examples)))
        if one.examples["true_label"].equals(labels)
        else (ballot, one)
        for ballot, one in found
    ]


def named_example_frame(config: StudyConfig, rows: Sequence[Any], listed: Sequence[ListedFile]) -> pd.DataFrame:
    """As `example_frame`, with the column `file` where examples are files of an image folder that is at hand."""
    return with_example_files(config, example_frame(config.directory, rows, listed))


def with_example_files(config: StudyConfig, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame as of `example_frame` with the column `file`, where examples have files and these are at hand."""
    if frame.empty:
        return frame
    first = frame[frame["trial"] == frame["trial"].iloc[0]]
    shown = shown_data(config, first["true_label"].to_numpy()[~first["example"].duplicated().to_numpy()])
    if isinstance(shown, str) or shown.files is None:
        return frame
    codes = frame["example"].to_numpy() % len(shown.files)
    return frame.assign(file=pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype([*shown.files])))


def examples_csv(found: Sequence[tuple[Ballot, Memorisation]]) -> str:
    """All examples of all conditions and arms, in the order that their tables have."""
    parts = []
    for ballot, one in found:
        table = one.examples.copy()
        for place, (name, said) in enumerate({**ballot.condition, "arm": ballot.arm}.items()):
            table.insert(place, name, "none" if said is None else said)
        parts.append(table)
    return str(pd.concat(parts).to_csv(index=False)).rstrip("\n")
