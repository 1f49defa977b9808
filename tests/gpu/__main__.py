"""`python -m tests.gpu`: what has to be done on a GPU, at most eight minutes: its tests, then its figures.

Without a GPU everything runs to its end on the counting device, with small sizes, after a table of what it counts
(`tests.gpu.counts`); figures of speed then mean nothing and are not kept.
"""

import sys
from contextlib import ExitStack

import pytest
import torch

from tests.benchmarks.__main__ import keep, table
from tests.counting_device import counting_device
from tests.gpu import counts, figures
from trainables.device import description, prepare


def main() -> int:
    """0 if all tests pass."""
    real = torch.cuda.is_available()
    with ExitStack() as stack:
        if not real:
            print("no GPU here: on the device that counts, small")
            print(table(counts.measure()), flush=True)
            stack.enter_context(counting_device())
        device = torch.device("cuda")
        prepare(device)
        print(description(device), flush=True)
        failed = pytest.main(
            ["-q", "-m", "gpu", "-p", "no:cacheprovider", "tests/gpu", "tests/unit/test_convolutions.py"]
        )
        found = figures.measure(real=real)
    print(table(found), flush=True)
    if real:
        keep("gpu", found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
