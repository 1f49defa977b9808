"""The gallery: examples that networks memorised, and those that compression loses first, with their labels."""

import base64
import io
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.ballots import Ballot
from study.answer.memorisation import Memorisation
from study.errors import Damaged
from study.report.drawing import Drawing
from study.report.examples import Shown, shown_data
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
_PAIRS = "Most influential: each beside the test example that it helps"


def _draw(material: Material) -> Picture | Absent:
    try:
        scored = material.examples
    except Damaged as error:
        return Absent(f"What networks said of each example can't be read ({error}).")
    if not scored:
        return Absent("")
    noisy = [(ballot, found) for ballot, found in scored if found is not None and ballot.arm == "replicate"]
    if not noisy:
        return Absent("Each network was given noisy labels of its own; scores of examples need data.noise_draw=study.")
    chosen, found = max(noisy, key=lambda one: one[1].changed_count)
    if found.examples["memorisation"].isna().all():
        return Absent("Every network was given every example: scores of examples need data.subset below 1.")
    shown = shown_data(material.config, found.examples["true_label"].to_numpy())
    if isinstance(shown, str):
        return Absent(shown)
    return _picture(chosen, found, shown, material.config.command("examples"))


def _picture(ballot: Ballot, found: Memorisation, shown: Shown, command: str) -> Picture | Absent:
    if shown.images is None:
        return Absent(f"Examples are no images; list them with: {command}")
    panels, tables, named = [], [], shown.with_files(found.examples)
    for name, (head, rising) in _ORDERS.items():
        if name not in found.examples.columns or found.examples[name].isna().all():
            continue
        # Of equals the surest first, as `ockham examples` has them.
        order = named.dropna(subset=[name]).sort_values([name, "se"], ascending=[rising, True], kind="stable")
        top = order.head(_COLUMNS * _ROWS)
        panels.append(_panel(head, name, top, shown))
        tables.append(top.assign(order=head))
    if "influence" in named.columns and named["certain"].any():
        pairs = named[named["certain"]].sort_values("influence", ascending=False, kind="stable")
        top = pairs.head(_COLUMNS // 2 * _ROWS)
        panels.append(_pairs(top, shown))
        tables.append(top.assign(order=_PAIRS))
    condition = ", ".join(f"{name} = {value}" for name, value in ballot.condition.items())
    share = "" if found.share.value is None else f" Memorised share of all examples: {found.share.as_text()}."
    if found.mislabelled_share.value is not None:
        share += f" Estimated share of wrong labels: {found.mislabelled_share.as_text()}."
    caption = (
        f"{found.networks} networks{f' ({condition})' if condition else ''}, {len(found.examples):,} examples. Below "
        "each its number and the label given; where that was changed the true one follows. Memorised: right in "
        f"networks that were given the example, wrong in those that were not (1 is pure memory).{share} "
        "Click an image, or press Enter on it, to see it large; arrow keys lead on."
    )
    return Picture(panels, caption, pd.concat(tables), columns=min(2, len(panels)))


def _panel(head: str, name: str, top: pd.DataFrame, shown: Shown) -> Drawing:
    drawing = _empty(head)
    for place, row in enumerate(top.to_dict("records")):
        x, y = _corner(place)
        said = f"{name.replace('_', ' ')} {row[name]:.2f}"
        _image(drawing, x, y, _training_image(row, shown), f"{_of_training(row)}, {said}")
        _below(drawing, x, y, f"{row['example']}  {row[name]:.2f}", _label(row))
    return drawing


def _pairs(top: pd.DataFrame, shown: Shown) -> Drawing:
    """Training examples, each with the test example that it helps most to its right."""
    drawing = _empty(_PAIRS)
    assert shown.test_images is not None
    for place, row in enumerate(top.to_dict("records")):
        x, y = _corner(2 * place)
        said = f"influence {row['influence']:.2f} ± {row['influence_se']:.2f} (standard error)"
        test, true = int(row["on_test"]), shown.test_labels[int(row["on_test"])]
        _image(drawing, x, y, _training_image(row, shown), f"{_of_training(row)}, {said}")
        _below(drawing, x, y, f"{row['example']}  {row['influence']:.2f}", _label(row))
        x, y = _corner(2 * place + 1)
        tip = f"test example {test}{_file(row.get('test_file'))}: truly {true}, {said} of training example "
        _image(drawing, x, y, shown.test_images[test], f"{tip}{row['example']}")
        _below(drawing, x, y, f"→ test {test}", f"truly {true}")
    return drawing


def _empty(head: str) -> Drawing:
    width = _COLUMNS * (_SIDE + _GAP) + _GAP
    drawing = Drawing(width, _TOP + _ROWS * (_SIDE + _BELOW + _GAP), head)
    drawing.text(4, 16, head, "head")
    return drawing


def _corner(place: int) -> tuple[float, float]:
    return _GAP + place % _COLUMNS * (_SIDE + _GAP), _TOP + place // _COLUMNS * (_SIDE + _BELOW + _GAP)


def _image(drawing: Drawing, x: float, y: float, pixels: npt.NDArray[Any], tip: str) -> None:
    picture, side = _png(pixels), _SIDE
    drawing.add("image", "zooms", tip=tip, x=x, y=y, width=side, height=side, href=picture, image_rendering="pixelated")


def _below(drawing: Drawing, x: float, y: float, first: str, second: str) -> None:
    drawing.text(x, y + _SIDE + 13, first, "small")
    drawing.text(x, y + _SIDE + 27, second, "tick")


def _training_image(row: Mapping[Hashable, Any], shown: Shown) -> npt.NDArray[Any]:
    assert shown.images is not None
    pixels: npt.NDArray[Any] = shown.images[row["example"] % len(shown.images)]
    return pixels


def _label(row: Mapping[Hashable, Any]) -> str:
    return f"{row['label']}" + (f", truly {row['true_label']}" if row["changed"] else "")


def _of_training(row: Mapping[Hashable, Any]) -> str:
    return f"example {row['example']}{_file(row.get('file'))}: label given {_label(row)}"


def _file(name: Any) -> str:
    return f" ({name})" if isinstance(name, str) else ""


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
