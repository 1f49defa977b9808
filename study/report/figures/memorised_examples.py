"""The gallery: examples that networks memorised, and those that compression loses first, with their labels."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.ballots import Ballot, ballots
from study.answer.memorisation import Memorisation, memorisation
from study.errors import Damaged
from study.ledger.files import EXAMPLES, result_of
from study.ledger.frames import example_tables
from study.report.drawing import Drawing
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material

# Column → its heading, and whether the largest come first.
_ORDERS = {
    "memorisation": ("Most memorised", False),
    "lost_at": ("First lost under compression", True),
    "learned": ("Learned last", False),
}
_COLUMNS, _ROWS, _SIDE, _GAP, _BELOW, _TOP = 6, 2, 64.0, 14.0, 34.0, 30.0
_MOST_PIXELS = 96


@dataclass(frozen=True)
class _Trial:
    """What counting votes asks of a trial."""

    number: int
    cell: str | None
    params: dict[str, Any]


def _draw(material: Material) -> Picture | Absent:
    folder = material.config.directory
    listed = {file.name for file in material.listed}
    names = {one.number: result_of(one.number, EXAMPLES) for one in _trials(material)}
    there = {number for number, name in names.items() if name in listed or (folder / name).is_file()}
    trials = [one for one in _trials(material) if one.number in there]
    if not trials:
        return Absent("")
    try:
        tables = example_tables(folder, trials, material.listed)  # type: ignore[arg-type]
        counted = [one for one in ballots(tables) if one.votes is not None]
    except Damaged as error:
        return Absent(f"What networks said of each example can't be read ({error}).")
    noisy = [one for one in counted if one.arm == "replicate"]
    if not noisy:
        return Absent("Each network was given noisy labels of its own; scores of examples need data.noise_draw=study.")
    chosen = max(noisy, key=lambda one: int(one.votes.changed.sum()) if one.votes else 0)
    assert chosen.votes is not None
    found = memorisation(chosen.votes)
    if found.examples["memorisation"].isna().all():
        return Absent("Every network was given every example: scores of examples need data.subset below 1.")
    images = _images(material)
    if isinstance(images, str):
        return Absent(images)
    return _picture(chosen, found, images)


def _trials(material: Material) -> Iterator[_Trial]:
    names = [name for name in material.trials.columns if name.startswith(("data.", "compression."))]
    for row in material.trials.to_dict("records"):
        cell = row.get("cell")
        params = {name: row[name] for name in names if not _missing(row[name])}
        yield _Trial(int(row["number"]), cell if isinstance(cell, str) else None, params)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _images(material: Material) -> npt.NDArray[Any] | str:
    """[n, C, H, W], the training examples as the study splits them, or why there are none to show."""
    from trainables.data.interfaces import dataset_of
    from trainables.data.loading import load_split
    from trainables.errors import DataUnavailable

    space, config = material.config.space, material.config
    data = space.config({name: spanned.corners()[0] for name, spanned in space.span.items()}, config.seed).data
    if not dataset_of(data).has_images:
        return f"Examples of {data.name} are no images; list them with ockham examples {config.name}."
    try:
        return load_split(data, config.seed, config.run.data_path).train_images
    except (DataUnavailable, ValueError) as error:
        return f"The examples can't be shown where the data are not ({error})."


def _picture(ballot: Ballot, found: Memorisation, images: npt.NDArray[Any]) -> Picture:
    panels, tables = [], []
    for name, (head, rising) in _ORDERS.items():
        if name not in found.examples.columns or found.examples[name].isna().all():
            continue
        order = found.examples.dropna(subset=[name]).sort_values(name, ascending=rising, kind="stable")
        top = order.head(_COLUMNS * _ROWS)
        panels.append(_panel(head, name, top, images))
        tables.append(top.assign(order=head))
    condition = ", ".join(f"{name} = {value}" for name, value in ballot.condition.items())
    share = "" if found.share.value is None else f" Memorised share of all examples: {found.share.value:.3f}."
    caption = (
        f"{found.networks} networks{f' ({condition})' if condition else ''}, {len(found.examples):,} examples. Below "
        "each its number and the label given; where that was changed the true one follows. Memorised: right in "
        f"networks that were given the example, wrong in those that were not (1 is pure memory).{share}"
    )
    return Picture(panels, caption, pd.concat(tables), columns=min(2, len(panels)))


def _panel(head: str, name: str, top: pd.DataFrame, images: npt.NDArray[Any]) -> Drawing:
    width = _COLUMNS * (_SIDE + _GAP) + _GAP
    drawing = Drawing(width, _TOP + _ROWS * (_SIDE + _BELOW + _GAP), head)
    drawing.text(4, 16, head, "head")
    for place, row in enumerate(top.to_dict("records")):
        x = _GAP + place % _COLUMNS * (_SIDE + _GAP)
        y = _TOP + place // _COLUMNS * (_SIDE + _BELOW + _GAP)
        label = f"{row['label']}" + (f", truly {row['true_label']}" if row["changed"] else "")
        tip = f"example {row['example']}: label given {label}, {name.replace('_', ' ')} {row[name]:.2f}"
        picture = _png(images[row["example"]])
        drawing.add("image", tip=tip, x=x, y=y, width=_SIDE, height=_SIDE, href=picture, image_rendering="pixelated")
        drawing.text(x, y + _SIDE + 13, f"{row['example']}  {row[name]:.2f}", "small")
        drawing.text(x, y + _SIDE + 27, label, "tick")
    return drawing


def _png(image: npt.NDArray[Any]) -> str:
    """A data URI of an image [C, H, W]; numbers that are no bytes from their smallest to their largest."""
    from PIL import Image

    step = -(-max(image.shape[1:]) // _MOST_PIXELS)
    some = image[:, ::step, ::step].astype(np.float64)
    if image.dtype != np.uint8:
        some = 255 * (some - some.min()) / max(float(np.ptp(some)), 1e-12)
    pixels = some.round().astype(np.uint8)
    picture = Image.fromarray(pixels[0] if len(pixels) != 3 else pixels.transpose(1, 2, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


FIGURE = Figure("Which examples were memorised", 32, _draw)
