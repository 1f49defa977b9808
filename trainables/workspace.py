"""What every stage of a trial works with: its data, its draws, fresh networks, and training that can resume."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from trainables.config import TrainingConfig, TrialConfig
from trainables.data.recorded import why_not
from trainables.data.trial_data import TrialData
from trainables.dense_store import Shelf
from trainables.memory import give_back
from trainables.pausing import Pausing
from trainables.progress import Progress
from trainables.seeding import Key, generator
from trainables.stack.interfaces import Shape, model_of
from trainables.stack.model import StackedModel
from trainables.training.augmentation import draw_changes
from trainables.training.evaluate import evaluating
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.training.learning import Learning
from trainables.training.loop import Changes, Orders, Training
from trainables.training.steps import AfterStep

T = TypeVar("T")


@dataclass(frozen=True)
class Course:
    """What a trial's compression will do, as far as its training has to know.

    Attributes:
        widths: Of levels 0 (dense) … depth.
        weights: Single weights kept at each level, see `compression.weight_counts`; () where single
            weights are not what goes.
        traces_movement: Whether a criterion wants to know where weights moved while the dense networks trained.
        watches: Whether validation is looked at after each epoch, for `early_stop_epoch`: where networks are retrained.
    """

    widths: tuple[Shape, ...]
    weights: tuple[Shape, ...]
    traces_movement: bool
    watches: bool


class Workspace:
    """All that the stages of one trial share: configuration, data, draws, progress, and how networks are trained.

    Networks are numbered as in `TrialData`: replicates first, then their controls in the same order.

    Attributes:
        key: Under which all draws are made, see `trainables.seeding`.
        shelf: Where the dense networks are kept for other trials; None: nowhere.
        shares_cell: Whether trials with other instruments have the same dense networks.
        together: Most networks whose activations are in memory at once; smaller once memory ran out.
        one_by_one: As of the trial's stacks, see `trainables.convolving`.
        movement: Parameter → −Σ w·g over the dense training, [K, …]; {} where nobody asked for it.
        learning: When the dense networks learned each example, once they are trained; None where nobody took note.
        failures: Network → why it failed in a `fit` since this was last emptied.
        compressed: Networks of the last level and how they are written down, of a trial that is run again.
        rates_by_epoch: Whether schedules stand still within an epoch, as in studies of earlier versions.
        scratch_arms: Whether fresh networks are trained beside those that recover or are distilled.
    """

    def __init__(self, config: TrialConfig, key: Key, data: TrialData, progress: Progress, course: Course) -> None:
        self.config, self.key, self.data, self.progress = config, key, data, progress
        self.networks, self.replicates = len(data.labels), config.replicates
        self.model = model_of(config)
        self.input_shape: Shape = tuple(data.images.shape[2:])
        self.course, self.level_widths, self.level_weights = course, course.widths, course.weights
        self.train_inputs, self.val_inputs, self.test_inputs = (
            Inputs(images, data.source, data.mean, subset)
            for images, subset in ((data.images, data.subset), (data.val_images, None), (data.test_images, None))
        )
        self.train_examples = Examples(self.train_inputs, data.labels, data.task)
        self.scratch_arms, self.together = True, self.networks
        self.one_by_one: bool | None = None
        self.rates_by_epoch = self.shares_cell = False
        self.init_scale, self.compressed = config.model.init_scale, cast(Any, None)
        self.shelf: Shelf | None = None
        self.failures: dict[int, str] = {}
        self.movement: dict[str, Tensor] = progress.kept_values.get("movement", {})
        self.learning: Learning | None = None
        self._memo: dict[str, Any] = {}

    @cached_property
    def dense_parameters(self) -> int:
        """Parameters of one dense network."""
        return self.model.parameter_count(self.level_widths[0], self.input_shape, self.data.num_classes)

    def draws(self, *names: str | int) -> torch.Generator:
        """The generator of a draw of this trial, e.g. `draws("init", replicate)`."""
        return generator(self.config.seed, self.key, *names)

    def draws_for_networks(self, *names: str | int) -> Callable[[int], torch.Generator]:
        """Network → generator, equal for a replicate and its control."""
        # Without the workspace, which holds the trial's tensors: what keeps these draws would keep them too.
        seed, key, replicates = self.config.seed, self.key, self.replicates
        return lambda network: generator(seed, key, *names, network % replicates)

    def fresh(self, widths: Shape, *names: str | int) -> StackedModel:
        """Fresh networks of these widths; a replicate and its control have the same weights, drawn under `names`."""
        draws = [self.draws(*names, replicate) for replicate in range(self.replicates)]
        stack = self.model.build(self.config.model, widths, self.input_shape, self.data.num_classes, draws)
        stack.together, stack.one_by_one = self.together, self.one_by_one
        return stack.to(self.data.images.device, non_blocking=True).select(
            [n % self.replicates for n in range(self.networks)]
        )

    @property
    def traces_movement(self) -> bool:
        """Whether −Σ w·g is summed up while dense networks train: where a criterion that meets them may ask for it.

        In studies of earlier versions nothing was.
        """
        return (self.course.traces_movement or self.shares_cell) and not self.rates_by_epoch

    def networks_here(self) -> StackedModel:
        """The networks of the last finished level, as they were measured."""
        left, device = self.progress.kept_values, self.data.images.device
        tensors = left["stack"] if left["shown"] is None else left["shown"]
        return self.template().with_tensors({name: tensor.to(device) for name, tensor in tensors.items()})

    def template(self) -> StackedModel:
        """A stack to put tensors into with `with_tensors`; its own weights mean nothing."""
        size = (self.level_widths[-1], self.input_shape, self.data.num_classes)
        stack = self.model.build(self.config.model, *size, [self.draws("template")])
        stack.together, stack.one_by_one = self.together, self.one_by_one
        return stack

    def initial(self) -> StackedModel:
        """The dense networks before training."""
        return self.fresh(self.level_widths[0], "init")

    @cached_property
    def snapshot_at(self) -> int | None:
        """The step of the dense training whose weights networks rewind to; None: those before training.

        Raises:
            ValueError: Training ends before that step.
        """
        batches = math.ceil(self.train_inputs.count / self.config.training.batch_size)
        step, last = round(self.config.compression.rewind_to * batches), self.config.training.steps
        if last is not None and step >= last:
            raise ValueError(
                f"compression.rewind_to={self.config.compression.rewind_to:g} is step {step} of {batches} an epoch, "
                f"training.steps={last} ends before; use less"
            )
        return step or None

    def rewind_point(self) -> StackedModel:
        """The dense networks as they were at `compression.rewind_to`."""
        tensors = self.progress.kept_values.get("rewind")
        if tensors is None:
            return self.initial()
        device = self.data.images.device
        return self.template().with_tensors({name: tensor.to(device) for name, tensor in tensors.items()})

    def fixed_recipe(self, epochs: int, lr: float | None = None) -> TrainingConfig:
        """The dense training's recipe with exactly `epochs` epochs at a constant rate: no stop rules, no warm-up."""
        changes = {
            "epochs": epochs,
            "steps": None,
            "warmup_epochs": 0.0,
            "lr": lr or self.config.training.lr,
            "schedule": "constant",
            "stop_at_train_loss": None,
            "stop_at_train_accuracy": None,
        }
        return self.config.training.model_copy(update=changes)

    def training(
        self,
        name: str,
        stack: StackedModel,
        examples: Examples,
        recipe: TrainingConfig,
        masks: Mapping[str, Tensor] | None = None,
        *,
        after_step: AfterStep | None = None,
    ) -> Training:
        """A training of `stack`, in place, that continues where a checkpoint left the training of that name."""
        dense = self.progress.level < 0
        phase = name if dense else f"level {self.progress.level + 1} {name}"
        snapshot_at = self.snapshot_at if dense else None
        count = examples.inputs.count
        changes = None if examples.soft or recipe.augment == "none" else self._changes(phase, recipe.augment, count)
        stack.together, stack.one_by_one = self.together, self.one_by_one
        training = Training(
            stack,
            examples,
            recipe,
            self._orders(phase, count),
            phase,
            masks=masks,
            changes=changes,
            snapshot_at=snapshot_at,
            after_step=after_step,
            rates_by_epoch=self.rates_by_epoch,
            traces=dense and self.traces_movement,
            learning=self._learning() if dense else None,
        )
        self.progress.follow(name, training)
        give_back()
        return training

    def run_epoch(self, training: Training) -> Pausing[None]:
        """One epoch, on the meter."""
        started, active = perf_counter(), training.stop_reasons.count(None)
        yield from training.run_epoch()
        self.progress.training_seconds += perf_counter() - started
        self.progress.samples += active * training.seen
        if self.course.watches:
            stack, data = training.write_back(), self.data
            seen = yield from evaluating(stack, self.val_inputs, data.val_labels, data.task)
            training.watch(seen.loss.tolist())

    def fit(
        self,
        name: str,
        stack: StackedModel,
        examples: Examples,
        recipe: TrainingConfig,
        masks: Mapping[str, Tensor] | None = None,
        *,
        after_step: AfterStep | None = None,
    ) -> Pausing[Training]:
        """Trains `stack` in place to its end, checkpointing between epochs; `name` is unique within a level.

        A network that fails in it is put back to where it began, see `Training.failed`; `failures` collects them. What
        the masks drop has to be 0 and stays so. `after_step` as of `Training`.
        """
        began = stack.select(range(stack.networks))
        training = self.training(name, stack, examples, recipe, masks, after_step=after_step)
        while not training.is_finished:
            yield from self.run_epoch(training)
            self.progress.save_if_due()
            yield
        self.settle(training, lambda: began)
        self.failures |= training.failed
        return training

    def settle(self, training: Training, began: Callable[[], StackedModel]) -> None:
        """Puts networks that failed in a training that has ended back to where it began.

        Nothing is said of them any more; but all that is done with the stack goes on with finite numbers.

        Raises:
            TrialDiverged: All have failed.
        """
        training.check_weights()
        if training.failed:
            networks = sorted(training.failed)
            logging.getLogger(__name__).warning("networks %s failed: %s", networks, training.failed[networks[0]])
            training.model.write(networks, began().select(networks))
            for tensor in training.movement.values():
                tensor[networks] = 0

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returned when first asked for under this name."""
        if name not in self._memo:
            self._memo[name] = make()
        value: T = self._memo[name]
        return value

    def _learning(self) -> Learning | None:
        """Takes note of when the dense networks learn each example, where that is recorded."""
        (networks, count), device = self.data.labels.shape[:2], self.data.labels.device
        return None if why_not(self.config, self.data) else Learning(networks, count, device)

    def _orders(self, phase: str, count: int) -> Orders:
        """Batch orders: one permutation for each replicate and epoch, which its control shares."""

        return self._for_networks("order", phase, lambda draws: torch.randperm(count, generator=draws))

    def _changes(self, phase: str, kind: str, count: int) -> Changes:
        """How examples are augmented, likewise."""
        side = min(self.input_shape[1:])
        return self._for_networks("augment", phase, lambda draws: draw_changes(kind, count, side, draws))

    def _for_networks(
        self, what: str, phase: str, draw: Callable[[torch.Generator], Tensor]
    ) -> Callable[[int, Sequence[int]], Tensor]:
        """(epoch, networks) → what is drawn for the replicate of each network in that epoch."""

        seed, key, each = self.config.seed, self.key, self.replicates

        def drawn_for(epoch: int, networks: Sequence[int]) -> Tensor:
            replicates = {network % each for network in networks}
            made = {one: draw(generator(seed, key, what, phase, one, epoch)) for one in replicates}
            return torch.stack([made[network % each] for network in networks])

        return drawn_for
