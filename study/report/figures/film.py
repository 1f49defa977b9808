"""The film of a training: weight vectors, spectrum and score of a noisy network and its twin, moment by moment.

Moments are the reports during training, then the compression levels. It needs `measures=…+dynamics`; what is shown is
one network of each arm of one trial.
"""

import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.words import plural
from study.ledger.files import ARRAYS, LAYERS, result_of
from study.ledger.tables import arrays_in, table_in
from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.plot import Plot
from study.report.scales import Scale, number_label, spanning

Floats = npt.NDArray[np.float64]

_WIDTH, _HEIGHT, _PANEL = 1060.0, 290.0, 250.0
_MOST, _STRIP, _BINS = 28, 6, 24
_VECTORS, _SPECTRUM = "dynamics/vectors", "dynamics/eigenvalues/"
_COLOURS = {"replicate": "noisy", "control": "clean"}
_UNREADABLE = (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class FilmFrame:
    """One frame, of the networks that are shown.

    Args:
        label: `epoch 12` or `level 3`.
        place: On the axis of time: epochs, then levels.
        vectors: Arm → [units, dimensions].
        eigenvalues: Arm → [M].
        threshold: Arm → above which eigenvalues are spikes.
        score: Arm → on training examples.
    """

    label: str
    place: float
    vectors: Mapping[str, Floats]
    eigenvalues: Mapping[str, Floats]
    threshold: Mapping[str, float]
    score: Mapping[str, float]


def _draw(material: Material) -> Picture | Absent:
    for trial in _candidates(material):
        try:
            network, moments = _first_whole(material, trial)
        except _UNREADABLE as error:
            return Absent(f"What trial {trial} left of its training can't be read ({error}).")
        if moments:
            return _picture(material, (trial, network), moments)
    return Absent("")


def _candidates(material: Material) -> list[int]:
    """Trials that recorded it, the noisiest first."""
    frame = material.counted_trials
    if frame.empty or "measure/dynamics/score" not in frame.columns:
        return []
    there = frame[frame["measure/dynamics/score"].notna()]
    noise = pd.to_numeric(there.get("data.label_noise", pd.Series(0.0, index=there.index)), errors="coerce")
    ordered = sorted(zip((-noise.fillna(0)).tolist(), there["number"].tolist(), strict=True))
    return [int(number) for _, number in ordered]


def _first_whole(material: Material, trial: int) -> tuple[int, list[FilmFrame]]:
    """The first network of the trial that, as its twin, has vectors at every moment: one that failed has none."""
    content = material.result(result_of(trial, ARRAYS))
    if content is None:
        return 0, []
    stored = arrays_in(content)
    arrays = {name: stored[name] for name in stored if "/dynamics/" in name or name == "training/epochs"}
    content = material.result(result_of(trial, LAYERS))
    if content is None or "training/epochs" not in arrays:
        return 0, []
    numbers = table_in(content).to_pandas()
    numbers = numbers[(numbers["measure"] == "dynamics") & numbers["epoch"].notna()]
    for network in range(_replicates(material, trial)):
        moments = _moments(material, (trial, network), arrays, numbers[numbers["network"] == network])
        if all(np.isfinite(vectors).all() for moment in moments for vectors in moment.vectors.values()):
            return network, moments
    return 0, []


def _moments(
    material: Material, which: tuple[int, int], arrays: Mapping[str, npt.NDArray[np.float32]], numbers: pd.DataFrame
) -> list[FilmFrame]:
    """Every report during training, then the levels, of one network (trial, network) and its twin."""
    trial, network = which
    rows = material.networks[(material.networks["trial"] == trial) & (material.networks["network"] == network)]
    arms = [arm for arm in _COLOURS if arm in set(rows["arm"])]
    places = {"replicate": network, "control": _replicates(material, trial) + network}
    found = []
    for frame, epoch in enumerate(arrays["training/epochs"].tolist()):
        then = numbers[numbers["epoch"] == epoch].set_index(["arm", "name"])["value"]
        seen = {name: array[frame] for name, array in _with_prefix(arrays, "training/").items() if array.ndim > 1}
        own = {arm: {name: float(then.get((arm, name), math.nan)) for name in ("score", "threshold")} for arm in arms}
        found.append(_moment(f"epoch {epoch}", float(epoch), seen, places, own))
    last = float(arrays["training/epochs"][-1])
    step = max(1.0, last / 12)
    for level in sorted({int(row) for row in rows["level"]}):
        seen = _with_prefix(arrays, f"level_{level}/")
        if _VECTORS not in seen:
            continue
        here = rows[rows["level"] == level].set_index("arm")
        columns = {name: here[f"measure/dynamics/{name}"].astype(float).to_dict() for name in ("score", "threshold")}
        own = {arm: {name: values[arm] for name, values in columns.items()} for arm in arms}
        ratio = here["ratio"].astype(float).tolist()[0]
        label = "trained" if level == 0 else f"level {level}, {ratio:.1f}×"
        found.append(_moment(label, last + step * (1 + level), seen, places, own))
    return found


def _with_prefix(arrays: Mapping[str, npt.NDArray[np.float32]], start: str) -> dict[str, npt.NDArray[np.float32]]:
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def _replicates(material: Material, trial: int) -> int:
    """How many replicates the trial has: where its controls begin in an array."""
    rows = material.networks[material.networks["trial"] == trial]
    return int(rows.loc[rows["arm"] == "replicate", "network"].max()) + 1


def _moment(
    label: str,
    place: float,
    seen: Mapping[str, npt.NDArray[np.float32]],
    places: Mapping[str, int],
    numbers: Mapping[str, Mapping[str, float]],
) -> FilmFrame:
    arms = list(numbers)
    spectrum = next(name for name in seen if _SPECTRUM in name)
    return FilmFrame(
        label,
        place,
        {arm: seen[_VECTORS][places[arm]].astype(float) for arm in arms},
        {arm: seen[spectrum][places[arm]].astype(float) for arm in arms},
        {arm: numbers[arm]["threshold"] for arm in arms},
        {arm: numbers[arm]["score"] for arm in arms},
    )


def _picture(material: Material, which: tuple[int, int], moments: list[FilmFrame]) -> Picture:
    chosen = _evenly(moments, _MOST)
    axes, flat = _axes(chosen)
    frames = [_frame(material, chosen, at, axes) for at in range(len(chosen))]
    shown = [frames[chosen.index(moment)] for moment in _evenly(chosen, _STRIP)]
    arms = list(chosen[0].vectors)
    units, size = chosen[0].vectors[arms[0]].shape
    plane = "as they are" if flat else f"on the two principal axes of the whole run (of {size} dimensions)"
    caption = (
        f"Trial {which[0]}, network {which[1]} of each arm. Left: incoming weights of {plural(units, 'unit')} of the "
        f"first hidden layer, {plane}. Middle: eigenvalues of WᵀW/N of that layer; dashed: what the largest one of a "
        f"Gaussian matrix with the same bulk reaches in 95 %. Right: training {material.task.label} on the labels "
        "given, by epoch, then by compression level. On paper six moments stand below each other."
    )
    legend = [Key("dot", "noisy", "noisy network"), Key("dot", "clean", "clean twin")] if len(arms) > 1 else []
    return Picture(shown, caption, _table(moments), legend, columns=1, film=frames, moments=[m.label for m in chosen])


def _evenly(moments: list[FilmFrame], most: int) -> list[FilmFrame]:
    """At most so many, the first and the last among them."""
    if len(moments) <= most:
        return moments
    return [moments[round(place)] for place in np.linspace(0, len(moments) - 1, most)]


def _axes(moments: Sequence[FilmFrame]) -> tuple[Floats, bool]:
    """[dimensions, 2], and whether vectors are shown exactly."""
    every = np.concatenate([vectors for moment in moments for vectors in moment.vectors.values()])
    if every.shape[1] <= 2:
        return np.eye(every.shape[1], 2), True
    axes: Floats = np.linalg.svd(every, full_matrices=False)[2][:2].T
    return axes, False


def _frame(material: Material, moments: Sequence[FilmFrame], at: int, axes: Floats) -> Drawing:
    moment, drawing = moments[at], Drawing(_WIDTH, _HEIGHT, f"Weight vectors, spectrum and score: {moments[at].label}")
    arms = list(moment.vectors)
    for place, arm in enumerate(arms):
        _vectors(drawing, moments, (moment, arm), axes, place * _PANEL)
    _spectra(drawing, moments, moment, len(arms) * _PANEL)
    _curve(drawing, material, moments, at, len(arms) * _PANEL + 280)
    drawing.text(4, 14, moment.label, "head")
    return drawing


def _vectors(
    drawing: Drawing, moments: Sequence[FilmFrame], shown: tuple[FilmFrame, str], axes: Floats, left: float
) -> None:
    moment, arm = shown
    everywhere = np.concatenate([vectors @ axes for m in moments for vectors in m.vectors.values()])
    reach = float(np.abs(everywhere).max()) * 1.05 or 1.0
    scale, margins = Scale(-reach, reach, 0, 1), (left + 18, 48, _WIDTH - left - _PANEL + 12, 22)
    plot = Plot(drawing, scale, scale, margins)
    name = {"replicate": "noisy network", "control": "clean twin"}[arm] if len(moment.vectors) > 1 else "weight vectors"
    drawing.text(plot.left, plot.top - 13, name, "axis")
    zero_x, zero_y = plot.x(0), plot.y(0)
    across = f"M{plot.left:.1f} {zero_y:.1f}H{plot.right:.1f}"
    drawing.add("path", "grid", d=f"{across}M{zero_x:.1f} {plot.top:.1f}V{plot.bottom:.1f}")
    ends = [(plot.x(float(x)), plot.y(float(y))) for x, y in moment.vectors[arm] @ axes]
    rays = "".join(f"M{zero_x:.1f} {zero_y:.1f}L{x:.1f} {y:.1f}" for x, y in ends)
    drawing.add("path", f"thin {_COLOURS[arm]}", d=rays)
    for x, y in ends:
        drawing.add("circle", f"dot {_COLOURS[arm]}", cx=round(x, 1), cy=round(y, 1), r=3)


def _spectra(drawing: Drawing, moments: Sequence[FilmFrame], moment: FilmFrame, left: float) -> None:
    top = max(float(values.max()) for m in moments for values in m.eigenvalues.values()) * 1.02
    edges = np.linspace(0, math.sqrt(top), _BINS + 1) ** 2  # finer where the bulk is
    counts = {arm: np.histogram(values, edges)[0] / len(values) for arm, values in moment.eigenvalues.items()}
    high = max(float((np.histogram(v, edges)[0] / len(v)).max()) for m in moments for v in m.eigenvalues.values())
    plot = Plot(
        drawing, Scale(0, math.sqrt(top), 0, 1), Scale(0, high * 1.05, 0, 1), (left + 46, 48, _WIDTH - left - 274, 42)
    )
    ticks = Scale(0, top, 0, 1).ticks(4)
    plot.axes(
        "",
        "eigenvalue (root scale)",
        "",
        x_ticks=[math.sqrt(t) for t in ticks],
        x_label=lambda at: number_label(round(at**2, 6)),
        y_ticks=Scale(0, high, 0, 1).ticks(3),
    )
    drawing.text(plot.left, plot.top - 13, "share of eigenvalues", "axis")
    roots = np.sqrt(edges)
    for arm, shares in counts.items():
        xs = [float(x) for pair in pairwise(roots) for x in pair]
        ys = [float(share) for share in shares for _ in range(2)]
        plot.line(xs, ys, _COLOURS[arm])
        if math.isfinite(moment.threshold[arm]):
            at = plot.x(math.sqrt(min(top, moment.threshold[arm])))
            drawing.add("path", f"dash {_COLOURS[arm]}", d=f"M{at:.1f} {plot.top:.1f}V{plot.bottom:.1f}")


def _curve(drawing: Drawing, material: Material, moments: Sequence[FilmFrame], at: int, left: float) -> None:
    scores = [max(0.0, value) for m in moments for value in m.score.values() if math.isfinite(value)]
    plot = Plot(
        drawing,
        spanning([m.place for m in moments], margin=0.02, least=1.0),
        spanning(scores, include=[0.0, 1.0], margin=0.02),
        (left + 46, 48, 14, 42),
    )
    trained = [m.place for m in moments if m.label.startswith("epoch")]
    plot.axes(
        "",
        "epoch, then level",
        "",
        x_ticks=[tick for tick in plot.x.ticks(4) if 0 <= tick <= trained[-1]],
        y_ticks=[0.0, 0.5, 1.0],
    )
    drawing.text(plot.left, plot.top - 13, f"training {material.task.label}", "axis")
    end = plot.x((trained[-1] + next((m.place for m in moments if m.place > trained[-1]), trained[-1])) / 2)
    drawing.add("path", "dots", d=f"M{end:.1f} {plot.top:.1f}V{plot.bottom:.1f}")
    for arm in moments[at].score:
        values = [m.score[arm] for m in moments]
        plot.line([m.place for m in moments], values, _COLOURS[arm])
        plot.mark(moments[at].place, max(0.0, values[at]), _COLOURS[arm], size=5)


def _table(moments: Sequence[FilmFrame]) -> pd.DataFrame:
    """One row a moment and arm."""
    return pd.DataFrame(
        [
            {
                "moment": moment.label,
                "arm": arm,
                "score": moment.score[arm],
                "largest_eigenvalue": float(values.max()),
                "threshold": moment.threshold[arm],
            }
            for moment in moments
            for arm, values in moment.eigenvalues.items()
        ]
    )


FIGURE = Figure("The film of a training: how weights move", 32, _draw)
