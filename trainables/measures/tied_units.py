"""What networks with example-tied units answer while these are there: evaluation has them cut out.

References:
    Maini et al. 2023, arXiv:2307.09542.
Cost: one forward pass over the sample of examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.looking.measure import Measure, MeasureResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look


class TiedUnits(Measure):
    """Accuracy on training examples that have the units which they are tied to."""

    reports: ClassVar[Mapping[str, str]] = {
        "kept_accuracy": "accuracy on kept examples, each with the units tied to it",
        "changed_accuracy": "accuracy on changed examples, each with the units tied to it",
    }
    needs_classes: ClassVar[bool] = True

    def measure(self, look: Look) -> MeasureResult:
        """Measures each network; undefined where no units are tied, or none of the sample is of a kind."""
        import torch

        from trainables.looking.look import outputs
        from trainables.stack.tied import with_tied_units

        sample = look.sample
        nothing = torch.full((look.stack.networks,), torch.nan, dtype=torch.float64)
        with with_tied_units(look.stack) as there:
            if not there:
                none = dict.fromkeys(self.reports, "no units are tied to examples (model.tied_units=0)")
                return MeasureResult(dict.fromkeys(self.reports, nothing), undefined_reasons=none)
            said = outputs(look.stack, sample.inputs).argmax(dim=2)
        chosen = {"kept_accuracy": sample.kept_mask, "changed_accuracy": ~sample.kept_mask}
        found = {name: sample.task.scores(said, sample.labels, some) for name, some in chosen.items()}
        return MeasureResult(found, undefined_reasons=dict.fromkeys(found, "no example of that kind is in the sample"))


ENTRY = TiedUnits
