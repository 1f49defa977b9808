"""A GPU whose memory runs out: less at once, or a clear end; either way what was held is given back."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.counting_device import CountingDevice, counting_device
from tests.engine import config
from trainables.compression.course import new_workspace
from trainables.compression.evidence import scoring
from trainables.compression.interfaces import CRITERIA
from trainables.config import TrialConfig
from trainables.data.trial_data import trial_data
from trainables.device import memory_bytes
from trainables.errors import DeviceFailed, device_failed, out_of_memory, without_frames
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.record import Record
from trainables.stack.model import StackedModel
from trainables.trial import TrialContext, run_to_level, run_trial

pytestmark = pytest.mark.slow

TINY: dict[str, Any] = {
    "data__split": (30, 20, 20),
    "model__width": 6,
    "training__epochs": 2,
    "training__batch_size": 12,
    "compression__depth": 1,
    "replicates": 2,
}
SAID = "CUDA out of memory. Tried to allocate 2.00 GiB."


def run(trial: TrialConfig, device: str = "cuda") -> Iterator[Record | None]:
    return run_trial(trial, TrialContext(0, Path("unused"), device))


@contextmanager
def without_cycles() -> Iterator[None]:
    """Nothing is collected that does not go by itself."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Any]]:
    """All stacks that are made from now on."""
    made: list[weakref.ref[Any]] = []
    build = StackedModel.__init__

    def init(self: StackedModel, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        made.append(weakref.ref(self))

    replaced = StackedModel.with_tensors

    def copied(self: StackedModel, *args: Any) -> StackedModel:
        found = replaced(self, *args)
        made.append(weakref.ref(found))
        return found

    monkeypatch.setattr(StackedModel, "__init__", init)
    monkeypatch.setattr(StackedModel, "with_tensors", copied)
    return made


@pytest.mark.parametrize("method", ["prune", "distill", "group_sparse", "hypernet"])
@pytest.mark.parametrize("steps", [3, 12])
def test_a_stopped_trial_leaves_nothing(method: str, steps: int, stacks: list[weakref.ref[Any]]) -> None:
    options = {} if method == "prune" else {f"compression__{method}": {"epochs": 2}}
    trial = config(**{**TINY, "compression__method": method, **options})
    with without_cycles():
        running = run(trial, "cpu")
        for _ in range(steps):
            next(running)
        running.close()  # type: ignore[attr-defined]
        del running
        assert stacks
        assert not [stack for stack in stacks if stack() is not None]


@pytest.mark.parametrize(
    "operation", ["bmm", *(pytest.param(name, marks=pytest.mark.ends) for name in ("to", "index_select", "sum"))]
)
def test_what_runs_out_at_last_holds_nothing(operation: str, stacks: list[weakref.ref[Any]]) -> None:
    def always(name: str) -> None:
        if name == operation and stacks:
            raise torch.OutOfMemoryError(SAID)

    with counting_device() as device, without_cycles():
        device.allocating = always
        with pytest.raises(RuntimeError, match="even with one of 4 networks at a time") as caught:
            list(run(config(**TINY)))
        error = caught.value
        del caught
        assert error.__context__ is None
        without_frames(error)
        assert not [stack for stack in stacks if stack() is not None]


def test_scores_are_made_of_as_many_networks_as_fit() -> None:
    for criterion in ("taylor", "grasp", "fisher", "synflow", "apoz", "snip"):
        trial = config(**TINY, compression__criterion=criterion)
        workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
        origin = [torch.arange(width).repeat(workspace.networks, 1) for width in workspace.level_widths[0]]
        found = []
        for together in (4, 1):
            workspace.together = together
            stack, most = workspace.initial(), LargestForward()
            with most:
                seen = scoring(workspace, stack, origin, 1)
                entry = CRITERIA.get(criterion).model_validate({})
                found.append([entry.scores(seen, group) for group in stack.groups])
            if together == 1 and criterion != "fisher":
                assert most.networks == 1
        for one, other in zip(*found, strict=True):
            assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)


class LargestForward:
    """How many networks were forwarded together, at most."""

    networks = 0

    def __enter__(self) -> None:
        def heard(module: torch.nn.Module, *_: Any) -> None:
            if isinstance(module, StackedModel):
                self.networks = max(self.networks, module.networks)

        self._handle = torch.nn.modules.module.register_module_forward_pre_hook(heard)

    def __exit__(self, *_: object) -> None:
        self._handle.remove()


@pytest.mark.parametrize(
    "said",
    [
        SAID,
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
        "CUDA driver error: out of memory",
        "GET was unable to find an engine to execute this computation",
        'NVML_SUCCESS == r INTERNAL ASSERT FAILED at "../c10/cuda/CUDACachingAllocator.cpp":830, please report a bug',
        "[enforce fail] DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_want_of_memory_has_many_names(said: str) -> None:
    assert out_of_memory(RuntimeError(said))
    assert not device_failed(RuntimeError(said))


def test_a_capture_that_ran_out_of_memory_ran_out_of_memory() -> None:
    ended = RuntimeError("CUDA error: operation failed due to a previous error during capture")
    assert device_failed(ended)
    ended.__context__ = torch.OutOfMemoryError(SAID)
    assert out_of_memory(ended)
    assert not device_failed(ended)


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: uncorrectable ECC error encountered",
        "CUDA error: unspecified launch failure",
        "CUDA driver error: device not ready",
        "CUDA error: an illegal memory access was encountered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
    ],
)
def test_a_failing_gpu_is_the_machines_fault(said: str) -> None:
    assert device_failed(RuntimeError(said))
    assert not out_of_memory(RuntimeError(said))
    assert not device_failed(ValueError("loss is nan at epoch 3"))
    assert issubclass(DeviceFailed, RuntimeError)


def test_a_share_of_a_gpu_is_kept_to() -> None:
    with counting_device(memory_bytes=64 << 30) as device:
        assert isinstance(device, CountingDevice)
        list(run_trial(config(**TINY), TrialContext(0, Path("unused"), "cuda", gpu_share=0.25)))
        assert 0.23 < device.share < 0.25, "four of them and their contexts fit"
        assert memory_bytes(torch.device("cuda")) == int(device.share * (64 << 30))
        list(run_trial(config(**TINY), TrialContext(0, Path("unused"), "cuda")))
        assert device.share == 1


def test_a_trial_that_is_run_again_halves_too() -> None:
    whole, ran_out = [], []

    def once(name: str) -> None:
        if name == "bmm" and not ran_out:
            ran_out.append(name)
            raise torch.OutOfMemoryError(SAID)

    with counting_device() as device:
        for device.allocating in (None, once):
            workspace = finish(run_to_level(config(**TINY), TrialContext(0, Path("unused"), "cuda"), 1))
            whole.append({name: tensor.cpu() for name, tensor in workspace.networks_here().tensors().items()})
            assert workspace.together == (2 if ran_out else 4)
    assert ran_out
    assert all(torch.allclose(whole[0][name], whole[1][name], atol=1e-5) for name in whole[0])
