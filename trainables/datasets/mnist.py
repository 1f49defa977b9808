"""MNIST: handwritten digits (LeCun et al. 1998), 28×28 grey values, 10 classes."""

from trainables.data.idx_source import IdxDataset


class Mnist(IdxDataset):
    """55,000 / 5,000 / 10,000 by default; files in `MNIST/raw`."""

    folder = "MNIST"
    published_md5 = (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    )

    @classmethod
    def source(cls) -> type:
        """torchvision's class, which knows addresses and checksums."""
        from torchvision.datasets import MNIST

        return MNIST  # type: ignore[no-any-return]


ENTRY = Mnist
