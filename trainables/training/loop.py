"""Training a stack: many networks, one loop, each with its own end."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainables.config import TrainingConfig
from trainables.errors import TrialDiverged
from trainables.moving import to_device
from trainables.pausing import Pausing
from trainables.precision import check
from trainables.stack.model import StackedModel
from trainables.training.augmentation import augment_images
from trainables.training.chunks import batches_at_once
from trainables.training.examples import Examples, pick_rows
from trainables.training.fitting import FITTED_LOSS, fits
from trainables.training.inputs import Inputs
from trainables.training.learning import Learning
from trainables.training.schedules import learning_rate
from trainables.training.steps import AfterStep, Steps
from trainables.training.updates import Updates

DIVERGED = "diverged"

Orders = Callable[[int, Sequence[int]], Tensor]
Changes = Callable[[int, Sequence[int]], Tensor]


class Training:
    """Trains a stack in place until each of its networks meets a stop rule or the epochs (or steps) are over.

    Stop rules look at the running mean over an epoch (loss and score of each batch before its own update), which
    costs no extra pass. A network that meets one is frozen at the end of that epoch: it leaves the active stack with
    its optimizer state, and its weights no longer change. The sum over networks of mean batch losses is minimised, so
    networks never mix gradients.

    Args:
        model: K networks; trained in place (after `write_back`, where networks froze).
        examples: What they are fitted to.
        recipe: How; both stop rules may be None.
        orders: (epoch, networks) → [A, n] int64 on the CPU, the order in which each sees the examples.
        name: Of this training, for messages.
        masks: Parameter → bool of its shape, False where weights are 0 and stay so: their gradients are 0, hence with
            all optimizers their state and steps are too.
        changes: (epoch, networks) → [A, n, 3] int64 on the CPU, how each example is augmented (`training.augmentation`)
            before each sees it; None: not at all.
        snapshot_at: The step (batch) after which a copy of all weights and statistics is kept; None: none is.
        after_step: Called with the networks that still train and the rate after each of their steps; may change their
            weights in place, network by network.
        rates_by_epoch: As `by_epoch` of `learning_rate`.
        traces: As of `Updates`.
        learning: Takes note of right answers as they come; None: nobody does.

    Attributes:
        seen: Examples that each active network has seen in the last epoch.
        fitted_at: The first epoch in which each network fitted its targets, see `fits`; None where none did.
        running_losses: Each network's running mean loss over its last epoch; nan before the first.
        snapshot: That copy, [K, …] each; None before.
        failed: Network → why it was frozen for good: its loss or weights left the finite numbers, `stop_reasons` says
            `diverged`. Its weights mean nothing; the others train on as if nothing had happened.
        best: Of each network (loss, epoch) where `watch` saw the smallest loss; empty where nobody watched.
    """

    def __init__(
        self,
        model: StackedModel,
        examples: Examples,
        recipe: TrainingConfig,
        orders: Orders,
        name: str = "training",
        *,
        masks: Mapping[str, Tensor] | None = None,
        changes: Changes | None = None,
        snapshot_at: int | None = None,
        after_step: AfterStep | None = None,
        rates_by_epoch: bool = False,
        traces: bool = False,
        learning: Learning | None = None,
    ) -> None:
        self.rates_by_epoch = rates_by_epoch
        self.model, self.examples, self.recipe, self.orders, self.name = model, examples, recipe, orders, name
        self.changes, self.learning = changes, learning
        check(recipe.precision, examples.targets.device)
        self.epoch, self.seen = 0, 0
        self.stop_reasons: list[str | None] = [None] * model.networks
        self.epochs: list[int] = [0] * model.networks
        self.fitted_at: list[int | None] = [None] * model.networks
        self.running_losses: list[float] = [math.nan] * model.networks
        self.steps, self.snapshot_at = 0, snapshot_at
        self.snapshot: dict[str, Tensor] | None = None
        self.best: list[tuple[float, int]] = []
        self.failed: dict[int, str] = {}
        self._active = list(range(model.networks))
        updates = Updates(recipe, model, masks or {}, traces=traces)
        rule = recipe.stop_at_train_loss
        asked = rule is None or rule > FITTED_LOSS or recipe.stop_at_train_accuracy is not None or learning is not None
        counts_correct = asked and examples.task.has_classes
        self._steps = Steps(model, recipe, examples, updates, after_step=after_step, counts_correct=counts_correct)

    @property
    def movement(self) -> dict[str, Tensor]:
        """As of `Updates`; {} where it is not traced."""
        return self._steps.updates.movement

    @property
    def is_finished(self) -> bool:
        """Whether every network has stopped."""
        return not self._active

    def run_epoch(self) -> Pausing[None]:
        """One epoch of the networks that are still active; pauses between chunks of batches.

        Raises:
            TrialDiverged: The losses of all networks have left the finite numbers; says in which epoch.
        """
        device = self.examples.targets.device
        order = to_device(self.orders(self.epoch, self._active), device)
        networks = to_device(self._active, device)
        inputs = self.examples.inputs.select(self._active)
        changes = None if self.changes is None else to_device(self.changes(self.epoch, self._active), device)
        loss = torch.zeros(len(self._active), dtype=torch.float64, device=device)
        correct = torch.zeros(len(self._active), dtype=torch.int64, device=device)
        before, count = self.steps, 0
        for index in (part for chunk in self._chunks(order) for part in self._until_snapshot(chunk)):
            gather = partial(self._gather, inputs, networks, index, changes)
            losses, hits, right = self._steps.run(
                index.shape, gather, self._rates(order, self.steps - before, len(index))
            )
            loss += losses
            correct += hits
            if self.learning is not None and right is not None:
                self.learning.note(networks, index, right)
            count += index.shape[0] * index.shape[2]
            self.steps += len(index)
            if self.steps == self.snapshot_at:
                self.snapshot = {name: tensor.clone() for name, tensor in self.write_back().tensors().items()}
            yield
        if self.learning is not None:
            self.learning.end_epoch(self.epoch + 1)
        self.seen = count
        losses = loss / count
        scores = self.examples.task.running_scores(losses, correct.double() / count, self.examples.targets, networks)
        self._end_epoch(*torch.stack([losses, scores]).tolist())

    def _rates(self, order: Tensor, first: int, steps: int) -> list[float]:
        """Learning rates of the next steps, from step `first` of this epoch on."""
        batches = math.ceil(order.shape[1] / self.recipe.batch_size)
        at = [first + step for step in range(steps)]
        return [learning_rate(self.recipe, self.epoch, b, batches, by_epoch=self.rates_by_epoch) for b in at]

    def _chunks(self, order: Tensor) -> Iterator[Tensor]:
        """Example numbers [P, A, B]: P whole batches at a time, then the smaller batch that is left."""
        active, count = order.shape
        size = min(self.recipe.batch_size, count)
        whole = count // size
        together = batches_at_once(self._steps.model, self.examples.inputs, size, whole)
        batches = order[:, : whole * size].reshape(active, whole, size).transpose(0, 1)
        for start in range(0, whole, together):
            yield batches[start : start + together].contiguous()
        if whole * size < count:
            yield order[None, :, whole * size :]

    def _until_snapshot(self, chunk: Tensor) -> Iterator[Tensor]:
        """The batches up to the last step, cut in two where the snapshot falls between them."""
        if self.recipe.steps is not None:
            chunk = chunk[: self.recipe.steps - self.steps]
            if not len(chunk):
                return
        left = (self.snapshot_at or 0) - self.steps
        if 0 < left < len(chunk):
            yield chunk[:left]
            chunk = chunk[left:]
        yield chunk

    def watch(self, losses: Sequence[float]) -> None:
        """Takes note of each network's loss on other examples after the epoch that has just ended."""
        best = self.best or [(math.inf, 0)] * len(losses)
        self.best = [(loss, self.epochs[n]) if loss < best[n][0] else best[n] for n, loss in enumerate(losses)]

    def _gather(self, inputs: Inputs, networks: Tensor, index: Tensor, changes: Tensor | None) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the examples [P, A, B] as A networks see them; changed as [A, n, 3] say."""
        targets, seen = self.examples.batch_targets(networks, index), inputs.gather(index)
        if changes is not None:
            rows = torch.arange(index.shape[1], device=index.device)
            seen = augment_images(seen, pick_rows(changes, rows, index))
        return seen, targets

    def _end_epoch(self, losses: list[float], scores: list[float]) -> None:
        """Freezes what has met its stop rule."""
        self.epoch += 1
        self._fail([n for n, loss in zip(self._active, losses, strict=True) if not math.isfinite(loss)], "loss was")
        staying = []
        for place, network in enumerate(self._active):
            self.epochs[network] = self.epoch
            self.running_losses[network] = losses[place]
            if network in self.failed:
                continue
            reason = self._stop_reason(losses[place], scores[place])
            self.stop_reasons[network] = reason
            if self.fitted_at[network] is None and fits(scores[place], losses[place]):
                self.fitted_at[network] = self.epoch
            if reason is None:
                staying.append(place)
        if len(staying) < len(self._active):
            self._freeze(staying)

    def check_weights(self) -> None:
        """Fails the networks whose weights have no finite norm after their last step, which no loss has seen.

        Raises:
            TrialDiverged: As `run_epoch`.
        """
        tensors = [tensor for tensor in self.model.tensors().values() if tensor.is_floating_point()]
        squares = torch.stack([tensor.reshape(len(tensor), -1).square().sum(dim=1) for tensor in tensors])
        sound = squares.isfinite().all(dim=0).tolist()
        self._fail([n for n, good in enumerate(sound) if not good and n not in self.failed], "weights were")

    def _fail(self, networks: Sequence[int], what: str) -> None:
        for network in networks:
            self.stop_reasons[network] = DIVERGED
            self.failed[network] = (
                f"{self.name}: the {what} no longer finite in epoch {self.epoch} "
                f"(lr {self.recipe.lr:g}, {self.recipe.optimizer})"
            )
        if len(self.failed) == self.model.networks:
            raise TrialDiverged(f"{self.failed[max(self.failed)]}, of all {self.model.networks} networks")

    def _stop_reason(self, loss: float, score: float) -> str | None:
        recipe = self.recipe
        if recipe.stop_at_train_loss is not None and loss <= recipe.stop_at_train_loss:
            return "train_loss"
        if recipe.stop_at_train_accuracy is not None and score >= recipe.stop_at_train_accuracy:
            return "train_accuracy"
        if recipe.steps is not None:
            return "steps" if self.steps >= recipe.steps else None
        return "epochs" if self.epoch >= recipe.epochs else None

    def _freeze(self, staying: list[int]) -> None:
        """Keeps only these places of the active stack training."""
        self.write_back()
        self._active = [self._active[place] for place in staying]
        if self._active:
            self._steps.turn_to(self.model.select(self._active))
            self._steps.updates.optimizer.select(to_device(staying, self.examples.targets.device))
            self._steps.updates.only(self._active)
        else:
            self._steps.turn_to(self.model)
            self._steps.updates.optimizer.state = {}

    def write_back(self) -> StackedModel:
        """Brings the weights of the active networks into `model`, which it returns."""
        if self._steps.model is not self.model:
            self.model.write(self._active, self._steps.model)
        return self.model

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, at the end of an epoch. The tensors are live: save or copy at once."""
        return {
            "tensors": self.write_back().tensors(),
            "optimizer": self._steps.updates.optimizer.state,
            "epoch": self.epoch,
            "active": list(self._active),
            "stop_reasons": list(self.stop_reasons),
            "epochs": list(self.epochs),
            "fitted_at": list(self.fitted_at),
            "running_losses": list(self.running_losses),
            "steps": self.steps,
            "snapshot": self.snapshot,
            "best": list(self.best),
            "failed": dict(self.failed),
            "movement": self.movement,
            "learning": None if self.learning is None else self.learning.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continues from a `state`, bit for bit."""
        networks = list(range(self.model.networks))
        self.model.write(networks, self.model.with_tensors(state["tensors"]))
        self.epoch, self._active = state["epoch"], list(state["active"])
        self.stop_reasons, self.epochs = list(state["stop_reasons"]), list(state["epochs"])
        self.fitted_at, self.running_losses = list(state["fitted_at"]), list(state["running_losses"])
        self.steps, self.snapshot, self.best = state["steps"], state["snapshot"], list(state["best"])
        self.failed = dict(state.get("failed", {}))  # earlier versions gave up with the first
        for name, tensor in self.movement.items():
            tensor.copy_(state["movement"][name])
        if self.learning is not None:
            self.learning.restore(state["learning"])
        alone = bool(self._active) and len(self._active) < len(networks)
        self._steps.turn_to(self.model.select(self._active) if alone else self.model)
        device = self.examples.targets.device
        self._steps.updates.only(self._active)
        # Copies, so that what trains on never writes into a state that may be saved once more.
        self._steps.updates.optimizer.state = {
            n: [t.to(device, copy=True) for t in ts] for n, ts in state["optimizer"].items()
        }
