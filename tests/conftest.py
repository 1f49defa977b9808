"""Fixtures that every test may use."""

import os
import tempfile
from pathlib import Path

import hypothesis
import pytest

from study import passwords

os.environ.setdefault("OMP_NUM_THREADS", "1")
# What is kept for the user between runs (digests of files, shared splits, where he has been) is none of a test's
# business.
_cache = tempfile.TemporaryDirectory(prefix="ockham-tests-cache-")
os.environ["OCKHAM_CACHE"] = _cache.name
os.environ["XDG_STATE_HOME"] = _cache.name
# Nor are the width and the colours of the terminal (or of a CI that pretends one): lines fold where a test reads them.
for _name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(_name, None)
# How long an example takes says how busy the machine is, and no more.
hypothesis.settings.register_profile("no clock", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("no clock")


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's environment must not reach into a test."""
    ockham = [
        name for name in os.environ if name.startswith("OCKHAM_") and name not in ("OCKHAM_TEST_DATA", "OCKHAM_CACHE")
    ]
    for name in (*ockham, "MLFLOW_TRACKING_URI", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    # Nor may what another test told this process of: it would hide what a test looks for, or a word of a message.
    monkeypatch.setattr(passwords, "_told", set())


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """Folder that holds `MNIST/raw`; skips where $OCKHAM_TEST_DATA names none."""
    folder = Path(os.environ.get("OCKHAM_TEST_DATA", ""))
    if not (folder / "MNIST" / "raw").is_dir():
        pytest.skip("needs MNIST: set OCKHAM_TEST_DATA to a folder that holds MNIST/raw")
    return folder
