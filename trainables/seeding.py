"""One study seed, any number of independent named generators.

Every random draw of a trial comes from a generator named after what it is for, so that adding replicates, levels or
epochs never changes the draws of the earlier ones, and a resumed trial redraws exactly what it drew before. First comes
the trial's `key`: trials that share their dense networks share it (see `TrialContext.key`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Key = int | str


def derive_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the draw called `names` under `seed` (SHA-256 of both, so collisions are negligible)."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """A CPU generator for the draw called `names`, e.g. `generator(seed, key, "labels", replicate)`."""
    import torch

    return torch.Generator().manual_seed(derive_seed(seed, *names))
