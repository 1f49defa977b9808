"""What MLflow refuses, down to single values: one odd value must not keep all others out of a run."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from study.ledger.rows import RefusedValue
from study.tracking.error_log import line

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param, RunTag

_A_CALL = 100


def is_refusal(error: Exception) -> bool:
    """Whether MLflow, or whoever answers for it, calls a request wrong."""
    return getattr(error, "error_code", "") in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")


def insist(
    send: Callable[..., Any], values: "Sequence[Metric | Param | RunTag]", probe: Callable[[], Any]
) -> list[RefusedValue]:
    """Sends values to a run, by halves where some are refused; returns the single ones that are.

    Only a value that is refused alone, while the run takes others, is hopeless: whoever answers 400 to everything (a
    proxy, say) proves nothing, and raises.

    Args:
        send: Takes `metrics`, `params` and `tags`, each a list.
        probe: Sends something that the run is known to take; raises where nothing is taken.
    """
    from mlflow.entities import Metric, Param, RunTag

    try:
        for start in range(0, len(values), _A_CALL):
            some = values[start : start + _A_CALL]
            kinds = {"metrics": Metric, "params": Param, "tags": RunTag}
            send(**{name: [value for value in some if isinstance(value, kind)] for name, kind in kinds.items()})
    except Exception as error:
        if not is_refusal(error):
            raise
        if len(values) > 1:
            half = len(values) // 2
            return [*insist(send, values[:half], probe), *insist(send, values[half:], probe)]
        probe()
        return [_refused_value(values[0], error)]
    return []


def _refused_value(value: "Metric | Param | RunTag", error: Exception) -> RefusedValue:
    step = f" at step {value.step}" if hasattr(value, "step") else ""
    kind = {"RunTag": "tag", "Param": "parameter"}.get(type(value).__name__, "metric")
    return RefusedValue(f"{kind} {value.key}{step}", line(error))
