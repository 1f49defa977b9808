"""The answer as a forest plot: the contrast under each condition, with its interval."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from study.answer import Effect, Reading
from study.answer.units import unit_word
from study.answer.words import estimate, interval_words, plural
from study.report.drawing import Drawing, mark_path, room_for
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.scales import Scale, number_label, spanning

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 520.0, 30.0, 146.0, 152.0, 46.0


def _draw(material: Material) -> Picture | Absent:
    answer = material.answer
    if answer.readings:
        return _of_readings(answer.readings)
    if answer.ranking:
        return Absent("")
    levels = [effect for effect in answer.levels if effect.mean is not None]
    instruments = list(answer.instruments) if len(answer.instruments) > 1 else []
    overall = [answer.overall] if answer.overall.mean is not None and len(levels) != 1 else []
    retained = [answer.retained] if answer.retained is not None and answer.retained.mean is not None else []
    blocks = [block for block in (levels, instruments, overall, retained) if block]
    if not blocks:
        return Absent("No contrast: no trial has both a noisy network and a clean twin that interpolated.")
    effects = [effect for block in blocks for effect in block]
    drawing = _forest(blocks)
    single = [effect for effect in effects if effect.ci95 is None]
    unit = unit_word(material.counted)
    n = "; ".join(f"{effect.label}: {effect.trials}" for effect in effects)
    note = (
        " Open marks: fewer than 3 trials, so the interval, if any, is over the replicates of one trial."
        if single
        else ""
    )
    caption = (
        "Contrast = compressibility of the clean twin − that of the noisy network, paired by initial weights and batch "
        f"order. Dot and line: mean over {unit}s and 95 % Student t interval. {unit.capitalize()}s (n): {n}.{note}"
    )
    return Picture([drawing], caption, _table(effects), [], columns=1)


def _of_readings(readings: Sequence[Reading]) -> Picture | Absent:
    """One block per instrument: its conditions, its contrast, and what is left of that above the scratch arm."""
    blocks: dict[str, list[Effect]] = {}
    for reading in readings:
        retained = [] if reading.retained is None else [replace(reading.retained, label="above fresh networks")]
        block = [*reading.levels, replace(reading.contrast, noise=1.0), *retained]
        if found := [effect for effect in block if effect.mean is not None]:
            blocks[reading.label] = found
    if not blocks:
        return Absent("No contrast: no trial has both a noisy network and a clean twin that interpolated.")
    words = {reading.label: interval_words(reading.contrast) for reading in readings}
    same = len({*words.values()}) == 1
    n = words[readings[0].label] if same else "; ".join(f"{label}: {text}" for label, text in words.items())
    caption = (
        "Contrast = compressibility of the clean twin − that of the noisy network, paired by initial weights and batch "
        "order; below each, what is left once fresh networks of the same sizes and budget are subtracted. Not pooled: "
        f"these instruments do not measure the same thing. Lines: {n}. Open marks: an interval over replicates, not "
        "trials."
    )
    tables = [_table(block).assign(instrument=label) for label, block in blocks.items()]
    return Picture([_forest([*blocks.values()], apart=True)], caption, pd.concat(tables), [], columns=1)


def _forest(blocks: list[list[Effect]], *, apart: bool = False) -> Drawing:
    rows = sum(len(block) for block in blocks)
    height = _TOP + _ROW * rows + 10 * (len(blocks) - 1) + 46
    effects = [effect for block in blocks for effect in block]
    left = room_for((effect.label for effect in effects), least=_LEFT)
    width = _WIDTH + left - _LEFT
    drawing = Drawing(width, height, "Contrast with 95 % interval by condition")
    ends = [e.mean + s * (e.ci95 or e.within or 0.0) for e in effects if e.mean is not None for s in (-1, 1)]
    scale = spanning(ends, include=[0.0], margin=0.08, least=0.1).onto(left, width - _RIGHT)
    bottom = height - 44
    for tick in scale.ticks(4):
        drawing.add("path", "grid", d=f"M{scale(tick):.2f} {_TOP - 10:.2f}V{bottom:.2f}")
        drawing.text(scale(tick), bottom + 16, number_label(tick), anchor="middle")
    drawing.add("path", "zero", d=f"M{scale(0):.2f} {_TOP - 18:.2f}V{bottom:.2f}")
    drawing.text(scale(0) - 6, _TOP - 20, "clean breaks first ←", "small", anchor="end")
    drawing.text(scale(0) + 6, _TOP - 20, "→ noisy breaks first", "small")
    drawing.text(width - 4, _TOP - 20, "contrast · pairs", "small", anchor="end")
    drawing.text(
        (left + width - _RIGHT) / 2, bottom + 34, "contrast in compressibility (0…1 scale)", "axis", anchor="middle"
    )
    y = _TOP + 8
    for index, block in enumerate(blocks):
        pooled = index > 0 and index == len(blocks) - 1 and not apart
        for effect in block:
            _row(drawing, scale, effect, (left, y), pooled or effect.label.startswith("all "))
            y += _ROW
        y += 10
    return drawing


def _row(drawing: Drawing, scale: Scale, effect: Effect, at: tuple[float, float], pooled: bool) -> None:
    left, y = at
    mean = effect.mean if effect.mean is not None else math.nan
    half = effect.ci95 if effect.ci95 is not None else effect.within
    tip = (
        f"{effect.label}\ncontrast {estimate(effect)} over {plural(effect.trials, effect.unit)}\n"
        f"noisy broke earlier in {effect.earlier} of {effect.pairs} pairs"
    )
    colour = "ink" if pooled else "noisy" if effect.noise is not None else "soft"
    drawing.text(left - 14, y + 4, effect.label, "value", anchor="end")
    if half is not None:
        low, high = scale(mean - half), scale(mean + half)
        drawing.add(
            "path",
            f"whisker {colour}",
            d=f"M{low:.2f} {y:.2f}H{high:.2f}M{low:.2f} {y - 4:.2f}v8M{high:.2f} {y - 4:.2f}v8",
        )
    look = "dot" if effect.ci95 is not None else "ring"
    drawing.add("path", f"{look} {colour}", d=mark_path("diamond" if pooled else "", scale(mean), y, 5.5))
    pairs = f" · {effect.earlier}/{effect.pairs}" if effect.pairs else ""
    drawing.text(drawing.width - 4, y + 4, f"{estimate(effect)}{pairs}", "value", anchor="end")
    drawing.add("rect", "hit", tip=tip, x=0, y=y - _ROW / 2, width=drawing.width, height=_ROW)


def _table(effects: list[Effect]) -> pd.DataFrame:
    return pd.DataFrame([vars(effect) for effect in effects])


FIGURE = Figure("Contrast by condition", 0, _draw)
