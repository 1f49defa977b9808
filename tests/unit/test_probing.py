"""What `doctor` and `--dry-run` try on a GPU before a study does."""

from pathlib import Path

import pytest
import torch

from study.operations.doctor import _gpu
from tests.counting_device import counting_device
from trainables import probing

CUDA = torch.device("cuda")


def test_every_kind_of_calculation_is_made_and_right() -> None:
    with counting_device() as device:
        found = probing.probe(CUDA)
    assert dict.fromkeys(found, "") == found
    assert list(found) == ["fp32 products", "tf32 products", "bf16 products", "convolutions", "graphs"]
    assert device.counts.kernels["convolution"] == 1
    assert device.counts.kernels["bmm"] == 3


def test_of_several_gpus_each_is_asked_itself() -> None:
    """A graph listens to its own GPU, though another is the current one."""
    with counting_device(index=1):
        found = probing.probe(torch.device("cuda", 1))
    assert dict.fromkeys(found, "") == found


def test_an_old_gpu_is_not_asked_for_what_it_can_not() -> None:
    with counting_device(capability=(7, 5)):
        assert list(probing.probe(CUDA)) == ["fp32 products", "convolutions", "graphs"]
        (finding,) = _gpu()
    assert finding.verdict == "ok"
    assert "compute capability 7.5" in finding.finding
    assert "too old for training.precision=tf32 and bf16" in finding.finding


@pytest.mark.parametrize("runs", [True, False])
def test_doctor_says_whether_trials_that_share_a_gpu_take_turns(
    runs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    if runs:
        (tmp_path / "control").touch()
    with counting_device():
        (finding,) = _gpu()
    assert ("compute at the same time" in finding.finding) == runs
    assert ("take turns" in finding.finding) != runs


def test_wrong_numbers_and_failing_kernels_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def off(*_: object) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.ones(3), torch.ones(3).double() * 1.1

    def fails(*_: object) -> tuple[torch.Tensor, torch.Tensor]:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(probing, "_convolution", off)
    monkeypatch.setattr(probing, "_graph", fails)
    with counting_device():
        (finding,) = _gpu()
    assert finding.verdict == "broken"
    assert "convolutions: relative error" in finding.finding
    assert "graphs: CUDA error: no kernel image" in finding.finding
