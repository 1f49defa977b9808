"""Which units stay: exact counts, ties by index, both directions."""

import pytest
import torch

from trainables.compression.keeping import units_to_keep

SCORES = torch.tensor([[5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0, 0.0], [1.0] * 10])


@pytest.mark.parametrize("kept", range(1, 11))
def test_exact_counts_on_ten_units_with_ties(kept: int) -> None:
    (index,) = units_to_keep([SCORES], [kept], "lowest")
    assert index.shape == (2, kept)
    assert SCORES[0, index[0]].min() == 10 - kept
    assert index[1].tolist() == list(range(10 - kept, 10)), "of equal units the first ones go"
    assert all(row == sorted(set(row)) for row in index.tolist())


def test_highest_go_first_when_asked() -> None:
    (index,) = units_to_keep([SCORES], [3], "highest")
    assert index[0].tolist() == [1, 3, 9]
    assert index[1].tolist() == [7, 8, 9]


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot keep 11 of 10"):
        units_to_keep([SCORES], [11], "lowest")
    with pytest.raises(ValueError, match="cannot keep 0"):
        units_to_keep([SCORES], [0], "lowest")
    with pytest.raises(ValueError, match="finite"):
        units_to_keep([SCORES, SCORES * float("nan")], [3, 3], "lowest")
