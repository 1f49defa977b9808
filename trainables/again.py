"""What is promised of a trial that is run again, in whole or from a checkpoint. Torch-free."""

# The notes of a summary that say what computed the trial, and how convolutions were computed there.
DEVICE, CONVOLUTIONS = "cost/device", "cost/convolutions"
ONE_BY_ONE, GROUPED = "one network after another", "grouped"
PROMISE = "bit for bit is promised on the same model and versions only"


def elsewhere(recorded: str, here: str) -> str | None:
    """That it was computed on something else, if so; "" is not known."""
    return None if recorded in ("", here) else f"computed on {recorded}, this is {here}: {PROMISE}"
