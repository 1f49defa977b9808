"""Measures taken after a study has ended are those that it would have taken itself."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from search_spaces.notation import apply_settings
from search_spaces.space import SearchSpace
from study.cli import main
from study.config import RunConfig, StudyConfig
from study.crash_points import VARIABLE
from study.errors import UsageError
from study.execution.results import result_files
from study.ledger import Ledger, Proposal
from study.ledger.files import damaged_files
from study.ledger.frames import layer_frame, network_frame
from study.ledger.place import Place
from study.operations.remeasuring import remeasure
from study.settings.inputs import settle_inputs
from study.settings.resume_request import NO_REQUEST
from study.storing.restoring import fetch_networks, restore_lost
from trainables.dense_store import DENSE, DenseStore
from trainables.record import Record
from trainables.trial import TrialContext, run_trial

pytestmark = pytest.mark.slow

SETTINGS = [
    *("data.split=150+60+60", "model.width=16", "training.epochs=5", "training.batch_size=40"),
    *("data.label_noise=0.5", "compression.depth=2", "compression.target_ratio=4", "replicates=2"),
]


def ended(
    home: Path, name: str, measures: str, *, dense: bool = False, storage: Path | None = None
) -> tuple[Ledger, list[Record]]:
    """A study whose two trials have ended; the records of the first.

    Args:
        dense: Whether the home keeps their dense networks.
    """
    space = apply_settings(SearchSpace(title="Is it small?"), [*SETTINGS, f"measures={measures}"])
    config = StudyConfig(name=name, space=space, trials=2, run=RunConfig(home=home, storage=storage and str(storage)))
    config.directory.mkdir(parents=True)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    settle_inputs(ledger, NO_REQUEST)
    ledger.propose([Proposal({}, cell=f"trial {number}") for number in range(2)])
    first: list[Record] = []
    for number in range(2):
        ledger.start_attempt(number)
        store = DenseStore(home / DENSE, 1 << 30) if dense else None
        context = TrialContext(number, config.run.data_path, cell=f"trial {number}", dense=store)
        records = [record for record in run_trial(space.config({}, config.seed), context) if record is not None]
        first = first or records
        with result_files(config.directory, number, records) as results:
            ledger.finish(number, 1, "COMPLETE", records=records, results=results)
    ledger.release()
    return ledger, first


def test_what_is_measured_afterwards_is_what_would_have_been(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, _ = ended(tmp_path, "later", "norms")
    whole, wanted = ended(tmp_path, "whole", "norms+spectrum+representations")
    delivered = ledger.outbox_size()
    command = ["remeasure", "later", "--measures", "norms+spectrum+representations", "--home", str(tmp_path)]
    assert main([*command, "--trials", "0"]) == 0
    said = capsys.readouterr().out
    assert "trial 0: representations, spectrum" in said
    assert "1 trials measured" in said
    row, last = ledger.trial(0), wanted[-1]
    assert row.notes["remeasured/spectrum"].startswith("afterwards, of networks trained again, by ockham ")
    mine = {name: value for name, value in row.metrics.items() if name.startswith(("measure/", "control/measure/"))}
    assert mine == {n: v for n, v in last.metrics.items() if n.startswith(("measure/", "control/measure/"))}
    assert ledger.outbox_size() == delivered + 1
    frames = [network_frame(study.config.directory, study.trials([0]), study.files([0])) for study in (ledger, whole)]
    columns = [name for name in frames[1] if name.startswith("measure/")]
    assert frames[0][columns].equals(frames[1][columns])
    layers = [layer_frame(study.config.directory, study.trials([0]), study.files([0])) for study in (ledger, whole)]
    keys = ["measure", "name", "layer", "arm", "network", "level"]
    assert layers[0].sort_values(keys)["value"].tolist() == layers[1].sort_values(keys)["value"].tolist()
    with np.load(ledger.config.directory / "trials/0000/arrays.npz") as arrays:
        assert set(arrays.files) == set(last.arrays)
        assert all(np.array_equal(arrays[name], array, equal_nan=True) for name, array in last.arrays.items())
    # The rest of the study, and nothing twice.
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "trial 0:" not in said
    assert "1 trials measured, 1 had them already" in said
    assert main(command) == 0
    assert "0 trials measured, 2 had them already" in capsys.readouterr().out
    for study in (ledger, whole):
        study.close()


def test_what_can_not_be_measured_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, _ = ended(tmp_path, "small", "none")
    home = ["--home", str(tmp_path)]
    assert main(["remeasure", "small", "--measures", "norm", *home]) == 2
    assert "Did you mean 'norms'" in " ".join(capsys.readouterr().err.split())
    assert main(["remeasure", "small", "--measures", "norms", "--trials", "7", *home]) == 2
    assert "trial 7 of small has not ended COMPLETE" in " ".join(capsys.readouterr().err.split())
    assert main(["remeasure", "small", "--measures", "norms", "--trials", "x", *home]) == 2
    assert "write numbers of trials" in " ".join(capsys.readouterr().err.split())
    (ledger.config.directory / "trials/0001/networks.parquet").unlink()
    assert main(["remeasure", "small", "--measures", "norms", *home]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "trial 1 was not measured: trials/0001/networks.parquet is missing" in said
    assert "measure/norms/path" in ledger.trial(0).metrics
    ledger.close()


def test_networks_that_the_home_keeps_are_not_trained_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was measured while they trained; without the store, or with one measure more of that time, they are."""
    from trainables.training.loop import Training

    run, ran = Training.run_epoch, list[str]()

    def counted(training: Training) -> Any:
        ran.append(training.name)
        return run(training)

    ledger, _ = ended(tmp_path, "kept", "norms+dynamics", dense=True)
    monkeypatch.setattr(Training, "run_epoch", counted)
    command = ["remeasure", "kept", "--home", str(tmp_path), "--measures"]
    assert main([*command, "spectrum"]) == 0
    assert ran == []
    note = ledger.trial(0).notes["remeasured/spectrum"]
    assert note.startswith("afterwards, of the dense networks that were kept, by ockham ")
    before = ledger.trial(1).metrics
    for file in (tmp_path / ".dense").glob("*.pt"):
        file.unlink()
    assert main([*command, "spectrum", "--set", "measures.spectrum.when=levels"]) == 0
    assert set(ran) == {"dense"}
    note = ledger.trial(1).notes["remeasured/spectrum"]
    assert note.startswith("afterwards, of networks trained again, by ockham ")
    assert note.endswith(", with when=levels")
    after = ledger.trial(1).metrics
    assert {name: after[name] for name in after if "/spectrum/" in name} == {
        name: before[name] for name in before if "/spectrum/" in name
    }
    capsys.readouterr()
    assert main([*command, "spectrum"]) == 0
    assert "0 trials measured, 2 had them already" in capsys.readouterr().out
    ledger.close()


def test_fields_of_measures_are_taken_as_launch_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, _ = ended(tmp_path, "later", "norms+margins")
    with pytest.raises(UsageError, match=r"took margins when it ran, with the usual fields: that stays"):
        remeasure(ledger, "margins", settings=["measures.margins.quantile=0.5"], say=print)
    fields = ["measures.removable_and_repeated.sets=2"]
    found = remeasure(ledger, "removable_and_repeated", [1], settings=fields, say=print)
    assert (found.measured_now, found.measured_before, found.failures, found.was_stopped) == ((1,), (), {}, False)
    assert ledger.trial(1).notes["remeasured/removable_and_repeated"].endswith(", with sets=2")
    command = ["remeasure", "later", "--home", str(tmp_path), "--measures"]
    for more, said in (
        (["spectrum", "--set", "measures.spectrum.top=3"], "there is no field 'top'"),
        (["spectrum", "--set", "measures.spectrum.when=always"], "'dense', 'levels' or 'training'"),
        (["spectrum", "--set", "measures.margins.quantile=0.5"], "fields of margins need measures=…+margins"),
        (["spectrum", "--set", "model.width=3"], "only fields of measures can be set here"),
        (["spectrum", "--set", "measures.spectrum.when=levels,dense"], "one value, not several"),
        (["spectrum", "--set", "when"], "write KEY=VALUE"),
        (["none"], "measures=none takes none"),
    ):
        assert main([*command, *more]) == 2, more
        assert said in " ".join(capsys.readouterr().err.split()), more
    ledger.close()


def test_what_dies_while_it_measures_goes_on_as_if_it_had_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed when half of the files have their new names: the old ones come back, and the command is given again."""
    ledger, _ = ended(tmp_path / "killed", "later", "norms")
    twin, _ = ended(tmp_path / "whole", "later", "norms")
    command = ["remeasure", "later", "--measures", "norms+spectrum+dynamics", "--home"]
    ran = subprocess.run(
        [sys.executable, "-m", "study.cli", *command, str(tmp_path / "killed")],
        env={**os.environ, VARIABLE: "networks renamed:2:" + str(tmp_path / "mark")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == -9, ran.stderr
    assert damaged_files(ledger.files(), ledger.config.directory), "nothing was renamed when it died"
    for home in ("killed", "whole"):
        capsys.readouterr()
        assert main([*command, str(tmp_path / home)]) == 0
    assert "2 trials measured" in capsys.readouterr().out
    assert not damaged_files(ledger.files(), ledger.config.directory)
    for number in range(2):
        mine, theirs = ledger.trial(number), twin.trial(number)
        assert without_costs(mine.metrics) == without_costs(theirs.metrics)
        assert mine.notes.keys() == theirs.notes.keys()
        for kind in ("networks.parquet", "layers.parquet"):
            frames = [
                pyarrow.parquet.read_table(study.config.directory / f"trials/{number:04d}/{kind}").to_pylist()
                for study in (ledger, twin)
            ]
            assert frames[0] == frames[1]
    ledger.close()
    twin.close()


def without_costs(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not name.startswith("cost/")}


def test_damaged_results_are_not_measured_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, _ = ended(tmp_path, "torn", "norms")
    path = ledger.config.directory / "trials/0000/layers.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    assert main(["remeasure", "torn", "--measures", "alignment", "--home", str(tmp_path)]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "trial 0 was not measured: trials/0000/layers.parquet is not what was written" in said
    assert f"ockham resume torn --home {tmp_path} --repair" in said
    assert "remeasured/alignment" in ledger.trial(1).notes
    ledger.close()


def test_a_storage_gets_what_was_measured_and_the_ledger_that_lists_it(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    ledger, _ = ended(tmp_path / "home", "stored", "norms", storage=storage)
    assert main(["remeasure", "stored", "--measures", "alignment", "--home", str(tmp_path / "home")]) == 0
    ledger.close()
    assert restore_lost(tmp_path / "other", "stored", str(storage), None, lambda _line: None, wait_s=0.1)
    restored = Place(home=tmp_path / "other", storage=str(storage)).open("stored")
    restored.acquire()
    fetch_networks(restored)
    assert not damaged_files(restored.files(), restored.config.directory)
    assert "measure/alignment/angle" in restored.trial(0).metrics
    restored.close()
