"""The numbers in plain sentences. Nothing is claimed that its interval does not carry."""

import math
from collections.abc import Sequence

from study.answer.model import NEGLIGIBLE, Effect, Tracking

_FEWEST_FOR_SIGNS = 6  # 2/2⁶ is the first smallest p of a sign-flip test below 0.05


ABOVE_SCRATCH = "above the scratch arm"
_BUDGETS = {"dense": " with the budget of dense training", "total": " with the budget of all training"}


def above_scratch(budgets: Sequence[str]) -> str:
    """`above the scratch arm`, and with which budget that trained where it is not that of the recovery."""
    return ABOVE_SCRATCH + (_BUDGETS.get(budgets[0], "") if len(set(budgets)) == 1 else "")


def signed(value: float, digits: int = 2) -> str:
    """0.25 → `0.25`, −0.031 → `−0.03` (a true minus sign; never `−0.00`)."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) != 0 else text.lstrip("-")


def estimate(effect: Effect) -> str:
    """`0.25 ± 0.04`, or the mean alone where no interval exists; more digits where two would round it away."""
    if effect.mean is None:
        return "–"
    if effect.half is None:
        return signed(effect.mean)
    digits = 2 if effect.half >= 0.005 else 3
    return f"{signed(effect.mean, digits)} ± {effect.half:.{digits}f}"


def p_words(p: float | None) -> str:
    """`p = 0.012`, `p < 0.0001`."""
    if p is None or math.isnan(p):
        return "no p"
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def plural(count: int, noun: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def contrast_sentence(
    overall: Effect, levels: Sequence[Effect], retained: Effect | None, absent: str, placebo: str
) -> str:
    """Do memorising networks break earlier than their clean twins?

    Args:
        absent: Why there is no answer.
        placebo: What was done to the data where that leaves a rule in every trial; "" where it does not.
    """
    if overall.mean is None:
        return f"No answer to whether memorising networks break earlier: {absent}."
    if overall.ci95 is None:
        within = "" if overall.within is None else ", interval over replicates"
        return (
            "Can’t tell yet whether memorising networks break earlier: only "
            f"{plural(overall.trials, overall.unit)} with a contrast (clean twin − noisy network, "
            f"{estimate(overall)}{within}; {pair_words(overall)}), and an "
            f"interval over {overall.unit}s needs 3."
        )
    if placebo:
        return _placebo_sentence(overall, placebo)
    if overall.verdict == "yes" and retained is not None and retained.verdict != "yes":
        return _perhaps_relearned(overall, levels, retained)
    sentence = {"yes": _yes, "no": _no, "unclear": _unclear}[overall.verdict](overall, levels)
    return sentence + (f" {_retained_words(retained)}." if retained is not None else "")


def _evidence(effect: Effect) -> str:
    return f"{interval_words(effect)}, sign-flip {p_words(effect.p)}"


def interval_words(effect: Effect) -> str:
    """`95 % interval over 8 trials`, `95 % interval over 5 pairs of one trial`, or why there is none."""
    if effect.ci95 is not None:
        return f"95 % interval over {plural(effect.trials, effect.unit)}"
    few = {1: f"one {effect.unit}", 2: f"two {effect.unit}s"}.get(effect.trials, plural(effect.trials, effect.unit))
    if effect.within is None:
        return f"{few}, no interval"
    return f"95 % interval over {f'{effect.pairs:,} pairs' if effect.pairs else 'the pairs'} of {few}"


def pair_words(effect: Effect) -> str:
    """`the noisy network broke earlier in 5 of 5 pairs`."""
    if effect.pairs == 0:
        return "no pair could be compared network by network"
    ties = f", {plural(effect.ties, 'tie')}" if effect.ties else ""
    return f"the noisy network broke earlier in {effect.earlier:,} of {plural(effect.pairs, 'pair')}{ties}"


def _yes(overall: Effect, levels: Sequence[Effect]) -> str:
    return (
        "Yes: networks that memorised noisy data break earlier under compression than their clean twins; "
        f"the contrast in compressibility is {estimate(overall)} ({_evidence(overall)}); {pair_words(overall)}"
        f"{level_words(levels)}."
    )


def _no(overall: Effect, levels: Sequence[Effect]) -> str:
    return (
        "No, the other way round: networks that memorised noisy data break later than their clean twins; the "
        f"contrast in compressibility is {estimate(overall)} ({_evidence(overall)}); {pair_words(overall)}"
        f"{level_words(levels)}."
    )


def _unclear(overall: Effect, levels: Sequence[Effect]) -> str:
    return (
        "Can’t tell whether memorising networks break earlier than their clean twins: the contrast in compressibility "
        f"is {estimate(overall)}{_why_unclear(overall)} ({_evidence(overall)}); {pair_words(overall)}"
        f"{level_words(levels)}."
    )


def _why_unclear(effect: Effect) -> str:
    if not effect.excludes_zero:
        return " and its interval includes 0"
    few = f": below {_FEWEST_FOR_SIGNS} trials it can’t" if effect.trials < _FEWEST_FOR_SIGNS else ""
    return f", whose interval excludes 0, but the exact test over trials does not confirm it{few}"


def level_words(levels: Sequence[Effect]) -> str:
    """How the noise levels agree, where there are several."""
    found = [level for level in levels if level.mean is not None]
    if len(found) < 2:
        return ""
    listed = "; ".join(f"{estimate(level)} at {level.label}" for level in found)
    signs = {math.copysign(1, level.mean or 0.0) for level in found}
    if len(signs) > 1:
        return f". The sign differs between conditions ({listed})"
    if all(level.verdict in ("yes", "no") for level in found):
        return f"; each condition says so by itself ({listed})"
    return f". All conditions have the same sign, not each is certain by itself ({listed})"


def _placebo_sentence(overall: Effect, what: str) -> str:
    if not overall.excludes_zero:
        return (
            f"The placebo holds: with {what} there is a rule to learn and nothing to memorise, and the "
            f"contrast is {estimate(overall)}, an interval that includes 0 ({_evidence(overall)}; "
            f"{pair_words(overall)})."
        )
    if overall.negligible:
        return (
            f"The placebo holds: with {what} there is a rule to learn and nothing to memorise, and the "
            f"contrast is {estimate(overall)}: not exactly 0, but within ±{NEGLIGIBLE:g} of it "
            f"({_evidence(overall)}; {pair_words(overall)})."
        )
    return (
        f"The placebo fails: {what}, which leaves a rule to learn and nothing to memorise, yet the contrast is "
        f"{estimate(overall)} ({_evidence(overall)}; {pair_words(overall)}); contrasts measured with this design "
        "cannot be read as memorisation until this is explained."
    )


def _perhaps_relearned(overall: Effect, levels: Sequence[Effect], retained: Effect) -> str:
    likely = "may be all" if retained.verdict == "no" else "may be"
    return (
        "Can’t tell whether memorising networks break earlier than their clean twins: the contrast in compressibility "
        f"is {estimate(overall)} ({_evidence(overall)}); {pair_words(overall)}{level_words(levels)}. "
        f"{_retained_words(retained)}, so it {likely} relearning "
        "speed and not compressibility."
    )


def _retained_words(retained: Effect) -> str:
    """What remains of the contrast once the scratch arm is subtracted, without a full stop."""
    if retained.mean is None:
        return "No scratch arm could be subtracted"
    budget = retained.label.removeprefix(ABOVE_SCRATCH).strip() or "with the same budget"
    return f"What fresh networks of the same sizes reach {budget} subtracted, {estimate(retained)} is left"


def tracking_sentence(tracking: Tracking) -> str:
    """Does compressibility track the generalization gap?"""
    inside = f"within {listed(tracking.within)}" if tracking.within else "among trials under one condition"
    left_out = f"; {plural(tracking.excluded, 'trial')} without a comparable gap left out" if tracking.excluded else ""
    if tracking.tau is None:
        reason = f"{tracking.reason}{left_out}"
        return f"Left unsaid whether compressibility tracks the generalization gap {inside}: {reason}."
    evidence = (
        f"Kendall τ = {signed(tracking.tau)} over {plural(tracking.pairs, 'pair')} "
        f"of {plural(tracking.trials, 'trial')}, permutation {p_words(tracking.p)}{left_out}"
    )
    if tracking.verdict == "yes":
        return f"Yes: {inside}, networks that compress further have smaller generalization gaps ({evidence})."
    if tracking.verdict == "no":
        return f"No, the other way round: {inside}, networks that compress further have larger gaps ({evidence})."
    return f"Can’t tell whether compressibility tracks the generalization gap: {inside}, {evidence}."


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
