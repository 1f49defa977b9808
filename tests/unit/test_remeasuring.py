"""Measures taken after a study has ended are those that it would have taken itself."""

from pathlib import Path

import numpy as np
import pytest

from search_spaces.notation import apply_settings
from search_spaces.space import SearchSpace
from study.cli import main
from study.config import RunConfig, StudyConfig
from study.execution.results import result_files
from study.ledger import Ledger, Proposal
from study.ledger.frames import layer_frame, network_frame
from study.settings.inputs import settle_inputs
from study.settings.wishes import NO_WISHES
from trainables.record import Record
from trainables.trial import TrialContext, run_trial

SETTINGS = [
    *("data.split=150+60+60", "model.width=16", "training.epochs=5", "training.batch_size=40"),
    *("data.label_noise=0.5", "compression.depth=2", "compression.target_ratio=4", "replicates=2"),
]


def ended(home: Path, name: str, measures: str) -> tuple[Ledger, list[Record]]:
    """A study whose two trials have ended; the records of the first."""
    space = apply_settings(SearchSpace(title="Is it small?"), [*SETTINGS, f"measures={measures}"])
    config = StudyConfig(name=name, space=space, trials=2, run=RunConfig(home=home))
    config.directory.mkdir(parents=True)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    settle_inputs(ledger, NO_WISHES)
    ledger.propose([Proposal({}, cell=f"trial {number}") for number in range(2)])
    first: list[Record] = []
    for number in range(2):
        ledger.start_attempt(number)
        context = TrialContext(number, config.run.data_path, cell=f"trial {number}")
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
    mine = {name: value for name, value in row.metrics.items() if name.startswith(("measure/", "control/measure/"))}
    assert mine == {n: v for n, v in last.metrics.items() if n.startswith(("measure/", "control/measure/"))}
    assert row.notes["remeasured/spectrum"].startswith("afterwards, by ockham ")
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
    assert "trial 1 was not measured: it left no networks.parquet here" in " ".join(capsys.readouterr().out.split())
    assert "measure/norms/path" in ledger.trial(0).metrics
    ledger.close()
