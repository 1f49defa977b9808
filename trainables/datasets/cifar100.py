"""CIFAR-100: 32×32 colour photographs in 100 classes (Krizhevsky 2009)."""

from pathlib import Path

from trainables.data.torchvision_source import RawPart, TorchvisionDataset

_FILES = ("train", "test")


class Cifar100(TorchvisionDataset):
    """50,000 training and 10,000 test images; 45,000 / 5,000 / 10,000 by default; files in `cifar-100-python`."""

    num_classes = 100
    expected_files = f"cifar-100-python with {', '.join(_FILES)}"
    needed_files = tuple(f"cifar-100-python/{file}" for file in (*_FILES, "meta"))

    def addresses(self) -> list[str]:
        """The authors' page."""
        from torchvision.datasets import CIFAR100

        return [CIFAR100.url]

    def checksums(self) -> dict[str, str]:
        """Checksums of the files of both splits."""
        from torchvision.datasets import CIFAR100

        folder = CIFAR100.base_folder
        return {f"{folder}/{file}": md5 for file, md5 in (*CIFAR100.train_list, *CIFAR100.test_list)}

    def parts(self, root: Path, download: bool) -> tuple[RawPart, RawPart]:
        """Both splits, pixels channel first."""
        from torchvision.datasets import CIFAR100

        train, test = (CIFAR100(root, train=part, download=download) for part in (True, False))
        return (train.data.transpose(0, 3, 1, 2), train.targets), (test.data.transpose(0, 3, 1, 2), test.targets)


ENTRY = Cifar100
