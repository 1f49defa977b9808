"""What can go wrong with a study, by what the user can do about it."""

from trainables.problems import Refused


class UsageError(Refused):
    """Refused before anything started; the message says what to change. Exit code 2."""


class StudyNotFound(UsageError):
    """No study of that name in the ledger."""


class StudyMismatch(UsageError):
    """The name belongs to a study with another identity; the message lists the fields that differ."""


class Damaged(UsageError):
    """Something of a study is not what was written, or not there; nothing has been done.

    Args:
        what: And where, for people; a file by its name.
        study: Its name, "" where that is not known.
        way: What to do about it; none: `ockham doctor NAME` knows.
    """

    def __init__(self, what: str, study: str = "", way: str = "") -> None:
        doctor = self._doctor(f"ockham doctor {study or 'NAME'}")
        super().__init__(f"{what}. {way or doctor}")
        self.what, self.study, self.way = what, study, way

    def with_doctor(self, doctor: str) -> "Damaged":
        """The same where the command `ockham doctor …` of the study's home is known, which can then be pasted."""
        return Damaged(self.what, self.study, self.way or self._doctor(doctor))

    @staticmethod
    def _doctor(command: str) -> str:
        return f"See what is left, and mend it: {command}"

    def __reduce__(self) -> tuple[type["Damaged"], tuple[str, str, str]]:
        return Damaged, (self.what, self.study, self.way)


class NoRoom(RuntimeError):
    """The disk of a study is full, or takes nothing for another reason; nothing is lost, and it is resumable."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} can't be written ({why}); make room there, then go on with: ockham resume")
        self.where, self.why = where, why

    def __reduce__(self) -> tuple[type["NoRoom"], tuple[str, str]]:
        return NoRoom, (self.where, self.why)


class NotPrinted(OSError):
    """What a command says can't be written where it was sent to: a full disk, a device that is full."""


class LeaseHeld(RuntimeError):
    """Another driver runs the study. Exit code 4.

    Args:
        study: Its name.
        holder: Who holds it, for people: `pid 4711 on node-3`.
        since: When that driver took it, ISO 8601 in UTC; for the message only, clocks are never compared.
        stop: The command that stops it; "" where the place of the study is not known.
    """

    def __init__(self, study: str, holder: str, since: str, stop: str = "") -> None:
        super().__init__(
            f"study {study!r} is being run by {holder} since {since}; wait for it, or stop it with: "
            f"{stop or f'ockham stop {study}'}"
        )
        self.study, self.holder, self.since, self.stop = study, holder, since, stop

    def __reduce__(self) -> tuple[type["LeaseHeld"], tuple[str, str, str, str]]:
        return LeaseHeld, (self.study, self.holder, self.since, self.stop)


class ExecutorDidNotStart(RuntimeError):
    """What trials were to run on did not come up, several times; the study is as it was, and resumable."""

    def __init__(self, name: str, cause: Exception) -> None:
        why = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        super().__init__(f"{name} did not start ({why}); the machine may be too busy, or out of memory")


class LeaseLost(RuntimeError):
    """Another driver took the study over: this process may no longer write to its ledger and must stop."""


class CommitUnknown(RuntimeError):
    """The ledger's database went away just when it confirmed a write: whether that counts will be seen by a resume."""

    def __init__(self, study: str, resume: str = "") -> None:
        super().__init__(
            f"the ledger of {study!r} went away while it confirmed a write; no result is lost: when the database is "
            f"back, go on with: {resume or f'ockham resume {study}'}"
        )
        self.study, self.resume = study, resume

    def __reduce__(self) -> tuple[type["CommitUnknown"], tuple[str, str]]:
        return CommitUnknown, (self.study, self.resume)


class StaleAttempt(RuntimeError):
    """A result came from an attempt that is not the trial's newest, or from a trial that is not running."""


class Interrupted(Exception):
    """Somebody pressed Ctrl-C while a command ran, or had nobody there to answer its question."""
