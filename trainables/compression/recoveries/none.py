"""Nothing follows: the networks are measured as the compression left them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Recovery

if TYPE_CHECKING:
    from trainables.compression.interfaces import CompressionResult, Level, RecoveryResult
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class NoRecovery(Recovery):
    """No epochs go with it."""

    trains: ClassVar[bool] = False
    label: ClassVar[str] = "no recovery"
    phrase: ClassVar[str] = "without recovery"
    rank: ClassVar[int] = 0

    def recover(self, workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[RecoveryResult]:
        """The networks themselves."""
        from trainables.compression.interfaces import RecoveryResult

        yield from ()
        return RecoveryResult(compressed, compressed)


ENTRY = NoRecovery
