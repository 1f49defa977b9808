"""What `spaces --methods` prints: which criteria score what, and which parts of a compression do not go together."""

import itertools
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from study.display import terminal
from trainables.config import TrialConfig, unflatten
from trainables.explain import explain
from trainables.registry import names_in

_PLACES = tuple(itertools.product(("unit", "weight"), ("layer", "global")))
# One setting for each rule, in its shortest form.
_REFUSED: tuple[dict[str, Any], ...] = (
    {"compression.granularity": "weight", "compression.criterion": "apoz"},
    {"compression.criterion": "batch_norm_scale", "model.name": "mlp"},
    {"compression.scope": "global", "compression.rate": 0.2},
    {"compression.method": "distill", "compression.granularity": "weight"},
    {"compression.method": "distill", "compression.recovery": "rewind", "compression.recovery_epochs": 6},
    {"compression.method": "low_rank", "compression.recovery": "finetune", "compression.recovery_epochs": 6},
    {"compression.method": "low_rank", "compression.rate": 0.2},
    {"compression.recovery": "shuffled", "compression.recovery_epochs": 6},
    {"compression.recovery": "rewind", "compression.recovery_epochs": 1},
    {"compression.recovery": "finetune", "compression.recovery_epochs": 6, "compression.rewind_to": 1},
)


def print_methods() -> None:
    """Two tables: criteria by what they can score, and refused combinations with the reason."""
    console = terminal()
    console.print(Text("Criteria by compression.granularity and compression.scope", style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 2), pad_edge=False)
    table.add_column("criterion")
    for granularity, scope in _PLACES:
        table.add_column(f"{granularity}, {scope}")
    for name in names_in("trainables.compression.criteria"):
        table.add_row(name, *("yes" if works else "–" for works in _works(name)))
    console.print(table)
    console.print()
    console.print(Text("Refused, for example", style="bold"))
    reasons = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=False)
    for fields in _REFUSED:
        said = refusal(fields)
        if said is not None:
            reasons.add_row("\n".join(f"{key}={value}" for key, value in fields.items()), said)
    console.print(reasons)


def refusal(fields: dict[str, Any]) -> str | None:
    """Why these fields do not go together; None if they do."""
    try:
        TrialConfig.model_validate(unflatten(fields))
    except ValidationError as error:
        return explain(error, TrialConfig)
    return None


def _works(criterion: str) -> Iterator[bool]:
    """In each of the places, on a model that has all that criteria may ask for."""
    for granularity, scope in _PLACES:
        fields = {
            "model.name": "resnet20",
            "compression.criterion": criterion,
            "compression.granularity": granularity,
            "compression.scope": scope,
        }
        yield refusal(fields) is None
