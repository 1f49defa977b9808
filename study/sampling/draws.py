"""Seeds for proposals: one study seed, any number of independent named draws (without importing torch)."""

import hashlib


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the draw called `names` under the study's `seed`."""
    text = "/".join(map(str, ("proposing", seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
