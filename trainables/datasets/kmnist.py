"""KMNIST: cursive Japanese characters (Clanuwat et al. 2018, arXiv:1812.01718), 28×28 grey values, 10 classes."""

from trainables.data.idx_source import IdxDataset


class Kmnist(IdxDataset):
    """55,000 / 5,000 / 10,000 by default; files in `KMNIST/raw`."""

    folder = "KMNIST"

    @classmethod
    def source(cls) -> type:
        """torchvision's class, which knows addresses and checksums."""
        from torchvision.datasets import KMNIST

        return KMNIST  # type: ignore[no-any-return]


ENTRY = Kmnist
