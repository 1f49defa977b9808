"""`ockham export` and `handle.export`, on a trial that a ledger holds."""

import json
from pathlib import Path

import pytest
import torch

import study
from search_spaces.notation import apply_settings
from search_spaces.space import SearchSpace
from study.cli import main
from study.config import RunConfig, StudyConfig
from study.errors import UsageError
from study.execution.results import networks_file
from study.ledger import Ledger, Proposal
from study.settings.inputs import settle_inputs
from study.settings.resume_request import NO_REQUEST
from tests.counting_device import counting_device
from trainables.compression.tickets import Tickets
from trainables.export.loader import load_network
from trainables.training.inputs import Inputs
from trainables.trial import TrialContext, run_trial

pytestmark = pytest.mark.slow

SETTINGS = [
    *("data.split=150+60+60", "model.width=32", "training.epochs=5", "training.batch_size=40"),
    *("data.label_noise=0.5", "compression.depth=2", "compression.target_ratio=8", "replicates=2"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study `small`: trial 0 complete, with its networks; trial 1 queued; `clean` has no controls, `numbers` R².

    Trials of `shared` are given a quarter of a GPU.
    """
    folder = tmp_path_factory.mktemp("home")
    rewinding = ["compression.granularity=weight", "compression.recovery=rewind", "compression.recovery_epochs=2"]
    tied = ["model.tied_units=0.5", "model.tied_examples=0.05", "control=false"]
    asked = ["data.name=teacher", "data.teacher.task=regression", "data.noise_kind=permuted", "training.lr=0.01"]
    studies = {
        "small": [],
        "clean": ["data.label_noise=0"],
        "lots": rewinding,
        "numbers": asked,
        "shared": [],
        "tied": tied,
    }
    for name, more in studies.items():
        space = apply_settings(apply_settings(SearchSpace(title="Is it small?"), SETTINGS), more)
        run = RunConfig(home=folder, gpus_per_trial=0.25 if name == "shared" else 0)
        config = StudyConfig(name=name, space=space, trials=2, run=run)
        config.directory.mkdir(parents=True)
        ledger = Ledger.create(config.ledger_url, config)
        ledger.acquire()
        settle_inputs(ledger, NO_REQUEST)
        ledger.propose([Proposal({}, cell=f"trial {number}") for number in range(2)])
        ledger.start_attempt(0)
        trial = run_trial(space.config({}, config.seed), TrialContext(0, config.run.data_path, cell="trial 0"))
        records = [record for record in trial if record is not None]
        with networks_file(config.directory, 0, records[-1].networks) as file:
            ledger.finish(0, 1, "COMPLETE", records=records, results=[file])
        ledger.close()
    return folder


@pytest.mark.parametrize("arm", ["replicate", "control"])
def test_the_file_has_the_accuracy_that_was_recorded(arm: str, home: Path, tmp_path: Path) -> None:
    handle = study.load("small", home=home)
    before = torch.get_num_threads()
    made = handle.export(0, 2, tmp_path / "net.safetensors", replicate=1, arm=arm)  # type: ignore[arg-type]
    assert torch.get_num_threads() == before
    rows = handle.networks()
    row = rows[(rows["arm"] == arm) & (rows["network"] == 1) & (rows["level"] == 2)].iloc[0]
    for name, (recorded, found) in made.scores.items():
        assert recorded == row[name] == pytest.approx(found, abs=1e-12)
    assert made.difference <= 1e-5
    dense, small = made.parameters
    assert dense == 64 * 32 + 32 + 32 * 32 + 32 + 330
    assert small == row["parameters"]
    assert made.bytes[1] == (tmp_path / "net.safetensors").stat().st_size < made.bytes[0]
    assert set(made.latency_s) == {1, 256}
    description = json.loads((tmp_path / "net.json").read_text())
    assert (description["trial"], description["level"], description["arm"]) == (0, 2, arm)
    assert load_network(tmp_path / "net.safetensors")(torch.zeros(3, 1, 8, 8, dtype=torch.uint8)).shape == (3, 10)


@pytest.mark.parametrize("arm", ["replicate", "control"])
def test_packed_it_has_the_bits_that_were_recorded(
    arm: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.packed"
    asked = ["export", "small", "0", "--level", "2", "--arm", arm, "--out", str(out), "--home", str(home)]
    assert main([*asked, "--packed"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    rows = study.load("small", home=home).networks()
    row = rows[(rows["arm"] == arm) & (rows["network"] == 0) & (rows["level"] == 2)].iloc[0]
    assert f"{row['description_length']:,} bits of its description, as recorded; {out.stat().st_size:,} bytes" in said
    assert "are those of the trial's network, bit for bit." in said
    found = study.load_packed(out)
    assert found.header.about == {"study": "small", "trial": 0, "level": 2, "replicate": 0, "arm": arm}
    assert found.network(torch.zeros(3, 1, 8, 8, dtype=torch.uint8)).shape == (3, 10)
    assert main([*asked, "--packed", "--onnx"]) == 2
    assert "leave --ticket and --onnx out" in " ".join(capsys.readouterr().err.split())
    assert main([*asked[:-4], "--out", str(tmp_path / "x.safetensors"), "--home", str(home), "--packed"]) == 2
    assert "must end in .packed" in " ".join(capsys.readouterr().err.split())


def test_units_tied_to_examples_are_left_out_and_not_packed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = study.load("tied", home=home)
    rows = handle.networks()
    for level in (0, 2):
        made = handle.export(0, level, tmp_path / "net.safetensors", replicate=1)
        row = rows[(rows["network"] == 1) & (rows["level"] == level)].iloc[0]
        for name, (recorded, found) in made.scores.items():
            assert recorded == row[name] == pytest.approx(found, abs=1e-12)
        assert made.difference <= 1e-5
        assert made.parameters[1] < row["parameters"]
    packing = ["--level", "2", "--packed", "--out", str(tmp_path / "net.packed"), "--home", str(home)]
    assert main(["export", "tied", "0", *packing]) == 2
    assert "units tied to examples (model.tied_units=0.5)" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "net.packed").exists()


def test_the_command_says_how_small_and_fast(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "small.safetensors"
    assert main(["export", "small", "0", "--level", "2", "--out", str(out), "--onnx", "--home", str(home)]) == 0
    said = capsys.readouterr().out
    for word in ("parameters", "bytes", "ms for 256 images", "As recorded.", str(out), "small.onnx"):
        assert word in said
    assert out.with_suffix(".onnx").is_file()


def test_networks_that_say_numbers_are_judged_by_r2(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "numbers.safetensors"
    assert main(["export", "numbers", "0", "--level", "1", "--out", str(out), "--home", str(home)]) == 0
    said = capsys.readouterr().out
    assert "R² of the file: train " in said
    assert "As recorded." in said
    assert "ccuracy" not in said
    assert load_network(out)(torch.zeros(3, 1, 1, 64, dtype=torch.uint8)).shape == (3, 1)


def test_only_masks_of_single_weights_are_tickets(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--level", "1", "--ticket", "--out", str(tmp_path / "t.safetensors"), "--home", str(home)]
    assert main(["export", "small", "0", *arguments]) == 2
    assert "tickets are masks of single weights" in " ".join(capsys.readouterr().err.split())
    assert main(["export", "lots", "0", *arguments]) == 0
    assert "tickets of" in capsys.readouterr().out
    assert Tickets.read(tmp_path / "t.safetensors").masks


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["small", "7", "--level", "1"], "has no trial 7"),
        (["small", "1", "--level", "1"], "is QUEUED; only what ended COMPLETE"),
        (["small", "0", "--level", "3"], "levels 0 (dense) to 2"),
        (["small", "0", "--level", "1", "--replicate", "2"], "replicates 0 to 1"),
        (["small", "0", "--level", "1", "--arm", "twin"], "choose replicate or control"),
        (["clean", "0", "--level", "1", "--arm", "control"], "has no controls"),
        (["small", "0", "--level", "1", "--out", "net.pt"], "must end in .safetensors"),
        (["small", "0", "--level", "1", "--out", "no/such/net.safetensors"], "no folder that can be written to"),
        (["small", "0", "--level", "1", "--out", "/proc/net.safetensors"], "no folder that can be written to"),
        (["absent", "0", "--level", "1"], "'absent'"),
        (["small", "0"], "--level"),
    ],
)
def test_what_is_not_there_is_refused(
    *,
    arguments: list[str],
    said: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    out = [] if "--out" in arguments else ["--out", "net.safetensors"]
    assert main(["export", *arguments, *out, "--home", str(home)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_another_network_than_the_recorded_one_is_not_passed_off_as_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = study.load("small", home=home)
    monkeypatch.setattr("study.operations.exporting._recorded_metrics", lambda *_: {"val_accuracy": 2.0})
    with pytest.raises(RuntimeError, match="was recorded"):
        handle.export(0, 1, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_an_export_on_another_device_says_so(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.safetensors"
    arguments = ["export", "small", "0", "--level", "1", "--out", str(out), "--home", str(home)]
    assert main(arguments) == 0
    assert "bit for bit" not in capsys.readouterr().out
    monkeypatch.setattr("trainables.trial.description", lambda _device: "an H100")
    assert main(arguments) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The trial was computed on " in said
    assert "this is an H100: bit for bit is promised on the same model and versions only." in said
    monkeypatch.setattr("study.operations.exporting._recorded_metrics", lambda *_: {"val_accuracy": 2.0})
    with pytest.raises(RuntimeError, match=r"was recorded; computed on .*, this is an H100"):
        study.load("small", home=home).export(0, 1, tmp_path / "other.safetensors")


def test_an_export_has_the_share_of_a_gpu_that_trials_had(home: Path, tmp_path: Path) -> None:
    """What is computed at once depends on it, and so does rounding."""
    with counting_device() as device:
        made = study.load("shared", home=home).export(0, 2, tmp_path / "net.safetensors", replicate=1)
    assert device.counts.total > 0
    assert 0.24 < device.share < 0.25
    assert made.difference <= 1e-5
    assert "Counting device" in made.devices[1]


def test_an_export_that_says_something_else_is_the_exports_fault(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inputs, "scale", 254.0)
    with pytest.raises(RuntimeError, match="the file does not say what the trial's network says"):
        study.load("small", home=home).export(0, 1, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_onnx_is_refused_where_it_is_not_installed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="onnxscript"):
        study.load("small", home=home).export(0, 1, tmp_path / "net.safetensors", onnx=True)
