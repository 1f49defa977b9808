"""Where the numbers come from: configuration, seeds, versions, machine, dates."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from study.config import StudyConfig
from study.report.material import Material, column, numbers

_PACKAGES = ("ockham", "torch", "ray", "optuna", "mlflow", "numpy", "pandas", "scipy")


def facts(material: Material) -> dict[str, str]:
    """Name → value, in reading order."""
    config, trials = material.config, material.trials
    states = column(trials, "state", "").value_counts()
    seconds = numbers(trials, "duration_s").sum()
    return {
        "study": config.name,
        "identity": f"{config.fingerprint()} (space, sampler, scheduler, objectives, seed)",
        "sampler": f"{config.sampler} (role {config.role})",
        **_choices(config),
        "seed": str(config.seed),
        "trials": ", ".join(f"{count} {state}" for state, count in states.items()) or "none",
        "counted in the answer": f"{len(material.counted_trials)} COMPLETE trials of role design",
        "networks": f"{_networks(material):,} dense networks, {len(material.networks):,} evaluations stored",
        "trial time": f"{seconds:,.0f} s in total" if seconds > 0 else "not recorded",
        "report written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "report written on": (
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
        ),
        "versions": versions(),
        "commit": commit(),
    }


def _choices(config: StudyConfig) -> dict[str, str]:
    """What else decided which trials there are."""
    found: dict[str, str] = {}
    if config.scheduler != "none":
        metric, grace = config.stopping.metric.metric, config.stopping.epochs_of_grace(config.longest_training)
        found["scheduler"] = f"{config.scheduler} on {metric} after {grace} epochs; stopped trials are PRUNED"
    if config.constraints:
        found["constraints"] = ", ".join(map(str, config.constraints))
    if config.warm_start is not None:
        found["warm start"] = f"{len(config.warm_start.trials)} trials of {config.warm_start.study}"
    return found


def frozen_config(material: Material) -> str:
    """The study's identity, budget and run as YAML."""
    return yaml.safe_dump(material.config.public_fields(), sort_keys=False, allow_unicode=True, width=100)


def versions() -> str:
    """Versions of Ockham and of what it computes with, as installed here."""
    return ", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name)))


def commit() -> str:
    """The commit of the source tree that Ockham runs from, `not a checkout` where it was installed."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return "not a checkout"
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown ({type(error).__name__})"
    return done.stdout.strip()


def _networks(material: Material) -> int:
    rows = material.networks
    return int((rows["level"] == 0).sum()) if "level" in rows.columns else 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
