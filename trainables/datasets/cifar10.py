"""CIFAR-10: 32×32 colour photographs in 10 classes (Krizhevsky 2009)."""

from pathlib import Path

from trainables.data.torchvision_source import RawPart, TorchvisionDataset

_FILES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")


class Cifar10(TorchvisionDataset):
    """50,000 training and 10,000 test images; 45,000 / 5,000 / 10,000 by default; files in `cifar-10-batches-py`."""

    num_classes = 10
    expected_files = f"cifar-10-batches-py with {', '.join(_FILES)}"
    needed_files = tuple(f"cifar-10-batches-py/{file}" for file in (*_FILES, "batches.meta"))

    def addresses(self) -> list[str]:
        """The authors' page."""
        from torchvision.datasets import CIFAR10

        return [CIFAR10.url]

    def checksums(self) -> dict[str, str]:
        """Checksums of the files of both splits."""
        from torchvision.datasets import CIFAR10

        folder = CIFAR10.base_folder
        return {f"{folder}/{file}": md5 for file, md5 in (*CIFAR10.train_list, *CIFAR10.test_list)}

    def parts(self, root: Path, download: bool) -> tuple[RawPart, RawPart]:
        """Both splits, pixels channel first."""
        from torchvision.datasets import CIFAR10

        train, test = (CIFAR10(root, train=part, download=download) for part in (True, False))
        return (train.data.transpose(0, 3, 1, 2), train.targets), (test.data.transpose(0, 3, 1, 2), test.targets)


ENTRY = Cifar10
