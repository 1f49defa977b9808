"""FashionMNIST: articles of clothing (Xiao et al. 2017, arXiv:1708.07747), 28×28 grey values, 10 classes."""

from trainables.data.idx_source import IdxDataset


class FashionMnist(IdxDataset):
    """55,000 / 5,000 / 10,000 by default; files in `FashionMNIST/raw`."""

    folder = "FashionMNIST"
    published_md5 = (
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    )

    @classmethod
    def source(cls) -> type:
        """torchvision's class, which knows addresses and checksums."""
        from torchvision.datasets import FashionMNIST

        return FashionMNIST  # type: ignore[no-any-return]


ENTRY = FashionMnist
