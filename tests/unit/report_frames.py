"""Made-up studies with the columns of real ones, for tests of verdicts and of the report."""

import pickle
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from search_spaces.space import Choices, SearchSpace
from search_spaces.usual import usual_claims
from study.answer.deciding import verdicts
from study.answer.standing import Standing
from study.answer.verdict import Verdicts
from study.config import StudyConfig
from study.settings.claims import in_terms

CHANCE = 0.11


@dataclass(frozen=True)
class Recipe:
    """What a made-up study shows.

    `effect` is the shift, in log2 of the ratio at half accuracy, of a fully noisy network; `spread` that of one.
    """

    noise: tuple[float, ...] = (0.25, 0.5, 1.0)
    widths: tuple[int, ...] = (64, 96, 160, 256)
    criteria: tuple[str, ...] = ("magnitude_l2", "random")
    replicates: int = 5
    depth: int = 6
    effect: float = 0.9
    spread: float = 0.12
    control: bool = True
    base: dict[str, Any] = field(default_factory=dict)
    scratch: bool = False
    failed: int = 1
    seed: int = 0


def make(recipe: Recipe = Recipe()) -> tuple[StudyConfig, pd.DataFrame, pd.DataFrame]:
    """(config, trials, networks) of a finished study in which every cell of the plan ran once."""
    config = _config(recipe)
    trials: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    number = 0
    for noise in recipe.noise:
        for criterion in recipe.criteria:
            for width in recipe.widths:
                point = {"data.label_noise": noise, "compression.criterion": criterion, "model.width": width}
                point = {name: value for name, value in point.items() if name in config.space.span}
                params = config.space.config(point).flat()
                rng = np.random.default_rng([recipe.seed, number])
                rows = _networks(recipe, params, rng)
                networks += [{"trial": number, **params, **row} for row in rows]
                trials.append(_trial(number, params, _metrics(rows)))
                number += 1
    for _ in range(recipe.failed):
        params = config.space.config({name: span.corners()[0] for name, span in config.space.span.items()}).flat()
        trials.append(_failed(number, params))
        number += 1
    return config, pd.DataFrame(trials), pd.DataFrame(networks)


def _config(recipe: Recipe) -> StudyConfig:
    spans = {
        "data.label_noise": recipe.noise,
        "compression.criterion": recipe.criteria,
        "model.width": recipe.widths,
    }
    base = {
        "compression.depth": recipe.depth,
        "replicates": recipe.replicates,
        "control": recipe.control,
        **{name: values[0] for name, values in spans.items() if len(values) == 1},
        **recipe.base,
    }
    span = {name: Choices(values=values) for name, values in spans.items() if len(values) > 1}
    space = SearchSpace(
        title="Do memorising networks break earlier under compression than their clean twins?",
        claim="At every noise level the contrast is positive.",
        source="Zhang et al. 2017, arXiv:1611.03530",
        base=base,
        span=span,
    )
    return StudyConfig(name="made-up", space=space, trials=24, seed=7)


def _trial(number: int, params: dict[str, Any], metrics: dict[str, float]) -> dict[str, Any]:
    return {
        "number": number,
        "state": "COMPLETE",
        "role": "design",
        **params,
        **metrics,
        "attempts": 1,
        "uid": f"made-up/{number}",
        "fingerprint": f"{number:016x}",
        "duration_s": 4.0 + number / 10,
        "error": None,
    }


def _failed(number: int, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": number,
        "state": "FAILED",
        "role": "design",
        **params,
        "attempts": 3,
        "uid": f"made-up/{number}",
        "fingerprint": f"{number:016x}",
        "duration_s": 1.5,
        "error": "worker died 3 times (last: <ActorDiedError> & no more)",
    }


def _networks(recipe: Recipe, params: dict[str, Any], rng: np.random.Generator) -> list[dict[str, Any]]:
    noise = float(params["data.label_noise"])
    true = noise == 0 and params["data.inputs"] == "true"
    arms = ["replicate"] + (["control"] if recipe.control and not true else [])
    if recipe.scratch:
        arms += [f"scratch_{arm}" for arm in arms]
    rows: list[dict[str, Any]] = []
    for network in range(recipe.replicates):
        shared = rng.normal(0, recipe.spread / 2)
        for arm in arms:
            shift = shared + rng.normal(0, recipe.spread)
            rows += _curve(recipe, params, arm=arm, network=network, shift=shift, rng=rng)
    return rows


def _curve(
    recipe: Recipe, params: dict[str, Any], *, arm: str, network: int, shift: float, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """One network's rows: its normalised accuracy falls along a logistic curve in log2 of the ratio."""
    noise = float(params["data.label_noise"]) if not arm.endswith("control") else 0.0
    wide = np.log2(params["model.width"] / 64)
    middle = 2.2 + 0.45 * wide + 0.5 * (params["compression.criterion"] != "random") + shift
    middle -= recipe.effect * (0.5 * (noise > 0) + 0.5 * noise) + 0.8 * arm.startswith("scratch")
    levels = np.arange(recipe.depth + 1)
    log2_ratio = levels / recipe.depth * 4
    learnable = noise == 0 or params["data.noise_kind"] == "renamed"
    shape = 1 / (1 + np.exp((log2_ratio - middle) / 0.45))
    share = np.where(levels == 0, 1.0, shape)
    dense_test = 0.97 - 0.85 * noise * (not learnable) + 0.02 * wide * (1 - noise)
    changed = 0.9 * noise
    rows = []
    for level in levels:
        kept = CHANCE + (1 - CHANCE) * min(1, share[level] * (1 if learnable else 1.3 - 0.3 * noise))
        broken = CHANCE + (1 - CHANCE) * share[level] ** (1 if learnable else 1.3)
        accuracy = (1 - changed) * kept + changed * broken
        test = CHANCE + (dense_test - CHANCE) * share[level] ** 0.5 + rng.normal(0, 0.008)
        rows.append(
            {
                "network": network,
                "arm": arm,
                "level": int(level),
                "ratio": float(2 ** log2_ratio[level]),
                "parameters": int(9000 * params["model.width"] / 64 / 2 ** log2_ratio[level]),
                "train_accuracy": float(accuracy),
                "kept_accuracy": float(kept),
                "changed_accuracy": float(broken) if noise else None,
                "test_accuracy": float(test),
                "val_accuracy": float(test - 0.005),
                "fidelity": float(share[level]),
                "chance": CHANCE,
                "interpolated": True,
                "fitted": True,
                "epochs": int(7 + 90 * noise + rng.integers(0, 9)),
                "stop_reason": "train_loss",
                "changed_share": float(changed),
                "widths": f"{params['model.width']}+{params['model.width']}",
            }
        )
    return rows


def judged(config: StudyConfig, trials: pd.DataFrame, networks: pd.DataFrame, *, stated: bool = True) -> Verdicts:
    """What such a study says of the claims that are usual, or of its own: its design trials are those it planned.

    The same question about the same numbers is asked once.
    """
    question = pickle.dumps((config.model_dump_json(), trials, networks, stated))
    if question not in _ANSWERS:
        _ANSWERS[question] = _judged(config, trials, networks, stated=stated)
    return _ANSWERS[question]


_ANSWERS: dict[bytes, Verdicts] = {}


def _judged(config: StudyConfig, trials: pd.DataFrame, networks: pd.DataFrame, *, stated: bool) -> Verdicts:
    space, later = config.space, ()
    if not space.claims:
        asked = tuple(in_terms(claim, space) for claim in usual_claims(space))
        space, later = (space.model_copy(update={"claims": asked}), ()) if stated else (space, asked)
    plan = trials[trials["state"] == "COMPLETE"] if "state" in trials.columns else trials.assign(number=0).head(0)
    standing = Standing(len(plan), len(plan), len(plan))
    return verdicts(space, trials, networks, plan=plan, standing=standing, exploratory=later, courses=True)


def auc(rows: list[dict[str, Any]], *, length: float = 4.0, column: str = "train_accuracy") -> float:
    """Compressibility by the formula, written once more so that the tests do not trust the code under test."""
    x = np.array([np.log2(row["ratio"]) for row in rows])
    y = np.array([row[column] for row in rows], dtype=float)
    share = np.clip((y - CHANCE) / (y[0] - CHANCE), 0, 1)
    return float(np.sum((share[1:] + share[:-1]) / 2 * np.diff(x)) / length)


def _dense_mean(curves: list[list[dict[str, Any]]], name: str) -> float:
    return float(np.mean([curve[0][name] for curve in curves]))


def _metrics(rows: list[dict[str, Any]]) -> dict[str, float]:
    by_network: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        by_network.setdefault((row["arm"], row["network"]), []).append(row)
    aucs = {key: auc(curve) for key, curve in by_network.items()}
    metrics: dict[str, float] = {}
    for arm, prefix in (("replicate", ""), ("control", "control/")):
        mine = [curve for (name, _), curve in by_network.items() if name == arm]
        if not mine:
            continue
        metrics[f"{prefix}compressibility/auc"] = float(np.mean([auc(curve) for curve in mine]))
        metrics[f"{prefix}train/accuracy"] = _dense_mean(mine, "train_accuracy")
        metrics[f"{prefix}test/accuracy"] = _dense_mean(mine, "test_accuracy")
        metrics[f"{prefix}val/accuracy"] = _dense_mean(mine, "val_accuracy")
        metrics[f"{prefix}gap/accuracy"] = _dense_mean(mine, "train_accuracy") - _dense_mean(mine, "test_accuracy")
        metrics[f"{prefix}train/epochs_to_fit"] = _dense_mean(mine, "epochs")
    scratch = {key[1]: value for key, value in aucs.items() if key[0] == "scratch_replicate"}
    if scratch:
        metrics["baseline/scratch_auc"] = float(np.mean(list(scratch.values())))
    differences = [
        aucs[("control", network)] - value
        for (arm, network), value in aucs.items()
        if arm == "replicate" and ("control", network) in aucs
    ]
    if differences:
        metrics["contrast/auc"] = float(np.mean(differences))
        metrics["contrast/auc/ci95"] = float(2.776 * np.std(differences, ddof=1) / np.sqrt(len(differences)))
        if scratch:
            metrics["contrast/retained"] = metrics["contrast/auc"] - 0.15
            metrics["contrast/retained/ci95"] = 0.05
    return metrics


def distilled(*, collapsed: tuple[str, ...] = ("noise",)) -> tuple[StudyConfig, pd.DataFrame, pd.DataFrame]:
    """A study like the seed experiment: one trial per transfer input, fully random labels, a scratch arm.

    On the `collapsed` inputs every student falls to chance at once and follows a teacher that says one thing.
    """
    transfers = ("train", "gaussian", "noise")
    base = {"compression.method": "distill", "compression.rate": 0.2, "control": True, "data.label_noise": 1.0}
    recipe = Recipe(noise=(1.0,), widths=(64, 65, 66), criteria=("random",), scratch=True, base=base, failed=0)
    _, trials, networks = make(recipe)
    networks["transfer_agreement"] = np.where(networks["level"] > 0, 0.9, np.nan)
    networks["teacher_top_class_share"] = np.where(networks["level"] > 0, 0.12, np.nan)
    networks.loc[networks["arm"].str.startswith("scratch"), ["transfer_agreement", "teacher_top_class_share"]] = np.nan
    for number, transfer in enumerate(transfers):
        mine = networks["trial"] == number
        trials.loc[trials["number"] == number, "compression.transfer"] = transfer
        networks.loc[mine, "compression.transfer"] = transfer
        if transfer in collapsed:
            students = mine & (networks["level"] > 0) & ~networks["arm"].str.startswith("scratch")
            networks.loc[students, "train_accuracy"] = CHANCE
            networks.loc[students, ["transfer_agreement", "teacher_top_class_share"]] = [0.99, 0.97]
            trials.loc[trials["number"] == number, "contrast/auc"] = 0.001
    trials["model.width"] = networks["model.width"] = 64
    span = {"compression.transfer": Choices(values=transfers)}
    fixed = {**recipe.base, "compression.depth": recipe.depth, "model.width": 64, "replicates": recipe.replicates}
    space = SearchSpace(title="Can they be distilled?", claim="One can.", source="A blog", base=fixed, span=span)
    return StudyConfig(name="made-up", space=space, trials=3, seed=7), trials, networks
