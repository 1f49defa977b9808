"""FashionMNIST: articles of clothing (Xiao et al. 2017, arXiv:1708.07747), 28×28 grey values, 10 classes."""

from trainables.data.idx_source import IdxDataset


class FashionMnist(IdxDataset):
    """55,000 / 5,000 / 10,000 by default; files in `FashionMNIST/raw`."""

    folder = "FashionMNIST"

    @classmethod
    def source(cls) -> type:
        """torchvision's class, which knows addresses and checksums."""
        from torchvision.datasets import FashionMNIST

        return FashionMNIST  # type: ignore[no-any-return]


ENTRY = FashionMnist
