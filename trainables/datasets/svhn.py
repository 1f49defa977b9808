"""SVHN: 32×32 colour photographs of house numbers, 10 classes (Netzer et al. 2011); without the extra ones."""

from pathlib import Path

from trainables.data.torchvision_source import RawPart, TorchvisionDataset


class Svhn(TorchvisionDataset):
    """73,257 training and 26,032 test images; 68,257 / 5,000 / 26,032 by default; files in `SVHN`."""

    num_classes = 10
    subfolder = "SVHN"
    needed_files = ("train_32x32.mat", "test_32x32.mat")
    expected_files = "SVHN with train_32x32.mat and test_32x32.mat"

    def addresses(self) -> list[str]:
        """The authors' page."""
        from torchvision.datasets import SVHN

        return [SVHN.split_list["train"][0]]

    def checksums(self) -> dict[str, str]:
        """Checksums of the files of both splits."""
        from torchvision.datasets import SVHN

        return {SVHN.split_list[part][1]: SVHN.split_list[part][2] for part in ("train", "test")}

    def parts(self, root: Path, download: bool) -> tuple[RawPart, RawPart]:
        """Both splits."""
        from torchvision.datasets import SVHN

        train, test = (SVHN(root, split=part, download=download) for part in ("train", "test"))
        return (train.data, train.labels), (test.data, test.labels)


ENTRY = Svhn
