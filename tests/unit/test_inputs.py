"""Gathering and normalising images."""

import pytest
import torch

from trainables.training import inputs as module
from trainables.training.inputs import Inputs


def two_versions() -> Inputs:
    images = torch.randint(256, (2, 9, 3, 4, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return Inputs(images, torch.tensor([0, 1, 1]), torch.tensor([100.0, 120.0, 0.0]))


def expected(given: Inputs, network: int, example: int) -> torch.Tensor:
    image = given.images[given.source[network], example].float()
    return (image - given.mean[:, None, None]) / 255


@pytest.mark.parametrize("keep_bytes", [16 << 20, 0])
def test_gathered_images_are_those_asked_for(keep_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEEP_BYTES", keep_bytes)
    given = two_versions()
    index = torch.tensor([[[0, 8], [3, 3], [5, 1]], [[2, 4], [7, 6], [0, 0]]])
    found = given.gather(index)
    assert found.shape == (2, 3, 2, 3, 4, 5)
    for batch in range(2):
        for network in range(3):
            for place in range(2):
                wanted = expected(given, network, int(index[batch, network, place]))
                assert torch.equal(found[batch, network, place], wanted)


def test_slices_are_those_asked_for() -> None:
    given = two_versions()
    found = given.slice(2, 5)
    assert found.shape == (3, 3, 3, 4, 5)
    assert torch.equal(found[0, 1], expected(given, 0, 3))
    assert torch.equal(found[2, 2], expected(given, 2, 4))


def test_selected_networks_keep_their_version() -> None:
    given = two_versions().select([2, 0])
    index = torch.tensor([[[1], [1]]])
    assert torch.equal(given.gather(index)[0, :, 0], torch.stack([expected(given, 0, 1), expected(given, 1, 1)]))
    assert given.source.tolist() == [1, 0]
