"""Lottery tickets from files fit the trials of a study, or it is refused before it starts."""

from study.config import StudyConfig
from study.errors import UsageError
from study.settings.corners import sized_corners

_DECIDING = ("compression.ticket", "model.", "data.", "replicates")


def check_tickets(config: StudyConfig) -> None:
    """Reads the tickets that trials would start from; the data have to be there.

    Raises:
        UsageError: A file can't be read, or its networks are others than those of a trial.
    """
    if not _names_tickets(config):
        return
    from trainables.compression.tickets import require_fit

    for trial, size in sized_corners(config, _DECIDING):
        try:
            require_fit(trial, *size)
        except ValueError as error:
            raise UsageError(str(error)) from None


def _names_tickets(config: StudyConfig) -> bool:
    field = "compression.ticket"
    points = (config.space.base, config.space.span, *config.configurations)
    return any(point.get(field) is not None for point in points)
