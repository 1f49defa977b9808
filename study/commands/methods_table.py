"""What `spaces --methods` prints: methods, criteria and what they score, and parts of a compression that do not fit."""

import itertools
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from study.display import terminal
from trainables.compression.interfaces import METHODS
from trainables.config import CompressionConfig, TrialConfig
from trainables.dotted import unflatten
from trainables.explain import explain
from trainables.listing import names_in

_PLACES = tuple(itertools.product(("unit", "weight"), ("layer", "global")))
_STAGES = {"shape": "units or weights", "form": "numbers that weights are made of", "code": "bits of the numbers"}
# One setting for each rule, in its shortest form.
_REFUSED: tuple[dict[str, Any], ...] = (
    {"compression.granularity": "weight", "compression.criterion": "apoz"},
    {"compression.criterion": "batch_norm_scale", "model.name": "mlp"},
    {"compression.scope": "global", "compression.rate": 0.2},
    {"compression.method": "distill", "compression.granularity": "weight"},
    {"compression.method": "distill", "compression.recovery": "rewind", "compression.recovery_epochs": 6},
    {"compression.method": "low_rank", "compression.recovery": "finetune", "compression.recovery_epochs": 6},
    {"compression.method": "low_rank", "compression.rate": 0.2},
    {"compression.method": "quantize+prune"},
    {"compression.method": "distill+low_rank", "compression.low_rank.of": "update"},
    {"compression.method": "prune+low_rank", "compression.granularity": "weight"},
    {"compression.method": "quantize", "compression.depth": 9},
    {"compression.method": "quantize", "compression.ratio": "parameters"},
    {"compression.recovery": "shuffled", "compression.recovery_epochs": 6},
    {"compression.recovery": "rewind", "compression.recovery_epochs": 1},
    {"compression.recovery": "finetune", "compression.recovery_epochs": 6, "compression.rewind_to": 1},
)


def print_methods() -> None:
    """Methods by their stage in a pipeline, criteria by what they can score, refused combinations with the reason."""
    console = terminal()
    console.print(Text("Methods, joined by + in the order of their stages (prune+quantize)", style="bold"))
    stages = Table(box=None, padding=(0, 2, 0, 2), pad_edge=False)
    for heading in ("method", "stage", "what gets smaller", "curve against", "recovery", "scratch arm"):
        stages.add_column(heading)
    for stage, smaller in _STAGES.items():
        for name in METHODS.names():
            if METHODS.get(name).stage == stage:
                stages.add_row(name, stage, smaller, *_facts(name))
    console.print(stages)
    console.print()
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


def _facts(method: str) -> Iterator[str]:
    """What its curves are drawn against, whether networks may recover, and whether fresh ones always run beside it."""
    yield CompressionConfig(method=method).curve_ratio
    finetune = {"compression.recovery": "finetune", "compression.recovery_epochs": 6}
    yield "yes" if refusal({"compression.method": method, **finetune}) is None else "–"
    yield "yes" if METHODS.get(method).trains else "–"


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
