"""What a user would write instead, and the rate of the machine itself."""

import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

_MEAN, _SCALE = 127.0, 255.0
Clock = Callable[[], float]


def matrix_rate(clock: Clock, size: int = 1024, times: int = 8) -> float:
    """Operations a second of a plain fp32 product on torch's current threads."""
    left, right, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    torch.mm(left, right, out=out)
    start = clock()
    for _ in range(times):
        torch.mm(left, right, out=out)
    return times * 2 * size**3 / (clock() - start)


class Pictures(Dataset[tuple[Tensor, int]]):
    """As torchvision's data sets: a picture is made of an array, and a tensor of the picture."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.arrays = [i[0].numpy() if i.shape[0] == 1 else i.permute(1, 2, 0).contiguous().numpy() for i in images]
        self.labels = labels.tolist()
        channels = images.shape[1]
        mean = (_MEAN / _SCALE,) * channels
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, (1.0,) * channels)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def plain_loop(network: nn.Module, images: Tensor, labels: Tensor, batch: int) -> Callable[[], None]:
    """An epoch of one network on normalised images in memory, shuffled by indexing."""
    inputs, optimizer = (images.float() - _MEAN) / _SCALE, torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def epoch() -> None:
        for index in torch.randperm(len(inputs)).split(batch):
            _step(network, optimizer, inputs[index], labels[index])

    return epoch


def data_loader(network: nn.Module, images: Tensor, labels: Tensor, batch: int, workers: int) -> Callable[[], None]:
    """An epoch of one network with torchvision's transforms and a DataLoader."""
    loader = DataLoader(
        Pictures(images, labels), batch, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def epoch() -> None:
        for x, y in loader:
            _step(network, optimizer, x, y)

    return epoch


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> None:
    optimizer.zero_grad()
    nn.functional.cross_entropy(network(x), y).backward()
    optimizer.step()


def clock_for(threads: int) -> Clock:
    """Processor time of one thread, which neighbours on the machine disturb less; of several, the wall's."""
    return time.process_time if threads == 1 else time.perf_counter
