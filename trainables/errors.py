"""What can go wrong in a trial, with messages meant for the person who started the study."""


class DataUnavailable(ValueError):
    """A data set is neither on disk nor to be had; the message says where it was looked for and what to do."""


class TrialDiverged(ValueError):
    """Training left the finite numbers; the message says where, when and with which loss."""
