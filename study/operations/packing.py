"""One network of a finished trial in exactly the bits of its description."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from study.operations.exporting import NetworkChoice, network_again, number_of, row_of
from study.operations.running_again import Say, silent

if TYPE_CHECKING:
    from study.ledger import Ledger


@dataclass(frozen=True)
class PackedFile:
    """What was written.

    Attributes:
        recorded_bits, bits: Of the description: what the trial said, and what is in the file.
        bytes: Of the file.
        difference: Largest difference of a weight that is read from it to the trial's network.
    """

    path: Path
    recorded_bits: int
    bits: int
    bytes: int
    difference: float


def export_packed(ledger: "Ledger", wanted: NetworkChoice, out: Path, *, say: Say = silent) -> PackedFile:
    """Writes the network to `out` (.packed) in the bits of its description; `load_packed` reads it.

    Raises:
        UsageError: There is no such network, `out` can't be written, or what the trial read is not what it was.
    """
    row, workspace = network_again(ledger, wanted, out, say, ending=".packed")
    from trainables.export.packed import described_network, load_packed, pack

    number = number_of(workspace, wanted)
    bits, size = pack(workspace, number, out, {"study": ledger.config.name} | asdict(wanted))
    there, meant = load_packed(out).tensors, described_network(workspace.compressed, number).tensors()
    off = max(float((there[name].double() - tensor.double().cpu()).abs().max()) for name, tensor in meant.items())
    return PackedFile(out, int(row_of(ledger, row, wanted)["description_length"]), bits, size, off)
