"""Exported networks in files: weights as safetensors, beside them the JSON that rebuilds the network."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from trainables.export.loader import build
from trainables.export.plain import describe_layers, plain_layers, without_silent_units
from trainables.stack.model import StackedModel
from trainables.training.inputs import Inputs


@dataclass(frozen=True)
class Plain:
    """An ordinary network: pixels [B, C, H, W] → logits [B, classes].

    Args:
        network: As the loader makes it.
        description: What the loader makes it from; JSON types.
    """

    network: nn.Sequential
    description: dict[str, Any]

    @cached_property
    def content(self) -> bytes:
        """The file of weights."""
        return save({name: tensor.cpu().contiguous() for name, tensor in self.network.state_dict().items()})

    @property
    def parameters(self) -> int:
        """Parameters of the network as it is, batch norm folded; zeros count."""
        return sum(p.numel() for p in self.network.parameters())

    def write(self, path: Path) -> tuple[Path, Path]:
        """Writes `path` (.safetensors) and the description beside it; returns both."""
        beside = path.with_suffix(".json")
        path.write_bytes(self.content)
        beside.write_text(json.dumps(self.description, indent=1) + "\n", encoding="utf-8")
        return path, beside

    def write_onnx(self, path: Path) -> Path:
        """Writes the network for ONNX runtimes, batches of any size; `pixels` [B, C, H, W] float32 → `logits`.

        Raises:
            ModuleNotFoundError: The packages that torch needs for it are not installed.
        """
        import logging

        import onnxscript  # noqa: F401 - torch imports it late and says less when it is missing

        shape = self.description["input"]["shape"]
        before = logging.getLogger("torch.onnx").level
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                self.network,
                (torch.zeros(2, *shape),),
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["pixels"],
                output_names=["logits"],
                dynamo=True,
                verbose=False,
            )
        finally:
            logging.getLogger("torch.onnx").setLevel(before)
        assert program is not None
        program.save(path, external_data=False)
        return path


def plain(one: StackedModel, inputs: Inputs, about: dict[str, Any]) -> Plain:
    """A stack of one network as an ordinary one on the CPU.

    Args:
        one: Without what is masked, as small as it can be after `without_silent_units`.
        inputs: What it was trained on, for their shape and normalisation.
        about: Put into the description: where the network comes from.
    """
    layers = plain_layers(without_silent_units(one).unstack(0).cpu())
    description = {
        "format": "ockham network 1",
        **about,
        "input": {"shape": list(inputs.images.shape[2:]), "mean": inputs.shift.tolist(), "scale": inputs.scale},
        "layers": describe_layers(layers),
    }
    network = build(description)
    with torch.no_grad():
        for place, layer in enumerate(layers, start=1):
            network[place].load_state_dict(layer.state_dict())
    return Plain(network.eval(), description)
