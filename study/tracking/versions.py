"""What the code of a run was, for its tags."""

import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

_REPORTED = ("ockham", "ray", "optuna", "torch", "mlflow")


@cache
def provenance() -> Mapping[str, str]:
    """What the code was: the git commit, if it lies in a repository, and versions."""
    tags = {f"ockham.version.{name}": version(name) for name in _REPORTED}
    root = Path(__file__).parents[2]
    if (root / ".git").exists():
        asked = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode == 0:
            tags["ockham.commit"] = asked.stdout.strip()
    return tags
