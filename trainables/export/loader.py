"""Reads an exported network back. Needs torch and safetensors, nothing of Ockham: copy this file to where it is used.

network = load_network("small.safetensors")     # with small.json beside it
logits = network(images)                        # [B, C, H, W], pixels 0 … 255 (uint8 or float) → [B, classes]

Where a data set is computed and not of pictures, its numbers as they are take the place of pixels.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

LAYERS = (
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "BatchNorm2d",
    "Conv2d",
    "Flatten",
    "Linear",
    "MaxPool2d",
    "ReLU",
)


class Pixels(nn.Module):
    """(x − mean)/scale of each channel, as the network saw its inputs when it was trained."""

    mean: Tensor

    def __init__(self, mean: list[float], scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] uint8 or float → float32."""
        return (x.float() - self.mean) / self.scale


class ErrorFunction(nn.Module):
    """erf(x/√2)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return torch.erf(x * 0.5**0.5)


class Residual(nn.Module):
    """body(x) + shortcut(x)."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Images → images."""
        result: Tensor = self.body(x) + self.shortcut(x)
        return result


def load_network(path: str | Path) -> nn.Sequential:
    """The network in `path` (weights, .safetensors) and the .json of the same name, in evaluation mode.

    Raises:
        FileNotFoundError: One of the two files is missing.
        ValueError: The description names a layer that is none of `LAYERS`, ErrorFunction or Residual.
    """
    path = Path(path)
    network = build(json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
    network.load_state_dict(load_file(path))
    return network.eval()


def build(description: dict[str, Any]) -> nn.Sequential:
    """The network that a description speaks of, with any weights."""
    pixels = Pixels(description["input"]["mean"], description["input"]["scale"])
    return nn.Sequential(pixels, *_layers(description["layers"]))


def _layers(described: list[dict[str, Any]]) -> list[nn.Module]:
    made: list[nn.Module] = []
    for one in described:
        fields = {name: value for name, value in one.items() if name != "layer"}
        if one["layer"] == "Residual":
            made.append(Residual(*(nn.Sequential(*_layers(fields[part])) for part in ("body", "shortcut"))))
        elif one["layer"] == "ErrorFunction":
            made.append(ErrorFunction())
        elif one["layer"] in LAYERS:
            made.append(getattr(nn, one["layer"])(**fields))
        else:
            raise ValueError(f"unknown layer {one['layer']!r}; known: {', '.join(LAYERS)}, ErrorFunction, Residual")
    return made
