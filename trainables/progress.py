"""How far a trial has come: everything that a resumed trial needs to go on as if nothing had happened."""

import logging
from time import perf_counter
from typing import Any

from trainables.again import elsewhere
from trainables.checkpoints import CheckpointStore
from trainables.config import TrialConfig
from trainables.record import Record
from trainables.training.loop import Training


class Progress:
    """Records reported so far, the last finished level, the stack there, and the trainings of the level in progress.

    Also what measures found (`trainables.looks`), what networks said of each example (`trainables.recording`), and what
    it has cost so far: seconds of the trial and of its training, and samples (examples times networks). What died
    before its checkpoint does not count. `reused_seconds` are those that its dense networks took elsewhere, `devices`
    what has computed it, one after another, `one_by_one` how convolutions were (`trainables.convolving`).

    What can be drawn or computed again (data, initial weights, batch orders, scores) is not kept.

    Args:
        config, number: The trial; a checkpoint of another one is refused.
        store: Where checkpoints are; None keeps none.

    Raises:
        ValueError: The store holds the checkpoint of another trial.
    """

    def __init__(self, config: TrialConfig, number: int, store: CheckpointStore | None) -> None:
        self._trial = f"{number} {config.seed} {config.fingerprint()}"
        self._store = store
        state = store.latest() if store else None
        if state is not None and state["trial"] != self._trial:
            raise ValueError(f"the checkpoint belongs to trial {state['trial']!r}, this is {self._trial!r}")
        if state is not None:
            trained = f", {', '.join(state['trainings'])} under way" if state["trainings"] else ""
            logging.getLogger(__name__).info("goes on from a checkpoint: level %d finished%s", state["level"], trained)
        state = state or {}
        self.records = [Record(**record) for record in state.get("records", [])]
        self.rows: list[dict[str, Any]] = state.get("rows", [])
        self.level: int = state.get("level", -1)
        self.kept_values: dict[str, Any] = state.get("kept_values", {})
        self.measured: dict[str, Any] = state.get("measured", {})
        self.examples: dict[str, Any] = state.get("examples", {})
        self._begun: float = perf_counter() - state.get("seconds", 0.0)
        self.training_seconds: float = state.get("training_seconds", 0.0)
        self.samples: int = state.get("samples", 0)
        self.reused_seconds: float = state.get("reused_seconds", 0.0)
        self.devices: list[str] = state.get("devices", [])
        self.one_by_one: bool | None = state.get("one_by_one")
        self._saved_trainings: dict[str, dict[str, Any]] = state.get("trainings", {})
        self._trainings: dict[str, Training] = {}

    @property
    def seconds(self) -> float:
        """Spent on the trial so far, earlier attempts up to their last checkpoints included."""
        return perf_counter() - self._begun

    def report(self, record: Record) -> Record:
        """Adds the record to those that a resumed trial reports again, and returns it."""
        self.records.append(record)
        return record

    def computes_on(self, device: str) -> None:
        """Takes note of what computes from here on; after a checkpoint that may be another model."""
        last = self.devices[-1] if self.devices else ""
        if moved := elsewhere(last, device):
            logging.getLogger(__name__).warning("so far %s", moved)
        if last != device:
            self.devices.append(device)

    def follow(self, name: str, training: Training) -> None:
        """Puts the training where the checkpoint left the one of that name, and saves it from now on."""
        if name in self._saved_trainings:
            training.restore(self._saved_trainings.pop(name))
        self._trainings[name] = training

    def finish_level(self, level: int, rows: list[dict[str, Any]], kept_values: dict[str, Any]) -> None:
        """Closes a level: its rows, and what the next level starts from (tensors in dicts and lists)."""
        self.level, self.kept_values = level, kept_values
        self._saved_trainings, self._trainings = {}, {}
        self.rows.extend(rows)

    def save_if_due(self) -> None:
        """Writes a checkpoint if the store says it is time; call where an epoch or a level has just ended."""
        if self._store is not None and self._store.due():
            self._store.save(
                {
                    "trial": self._trial,
                    "records": [record.state() for record in self.records],
                    "rows": self.rows,
                    "level": self.level,
                    "kept_values": self.kept_values,
                    "measured": self.measured,
                    "examples": self.examples,
                    "seconds": self.seconds,
                    "training_seconds": self.training_seconds,
                    "samples": self.samples,
                    "reused_seconds": self.reused_seconds,
                    "devices": self.devices,
                    "one_by_one": self.one_by_one,
                    "trainings": self._saved_trainings
                    | {name: training.state() for name, training in self._trainings.items()},
                }
            )
