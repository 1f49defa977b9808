"""Networks whose examples can't be scored are named beside those whose can."""

from pathlib import Path

import numpy as np
import pytest

from study.cli import main
from study.execution.results import example_table
from tests.unit.cli_ledgers import ledger


def test_networks_with_labels_of_their_own_are_named_where_their_twins_are_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger(tmp_path).close()
    true = np.arange(45) % 2
    label = np.tile(true, (8, 1))
    label[:4] ^= np.arange(45) % 4 == np.arange(4)[:, None]
    columns = {
        "network": np.arange(8, dtype=np.int16) % 4,
        "control": np.arange(8) >= 4,
        "true_label": true.astype(np.int16),
        "subset": np.random.default_rng(0).random((8, 45)) < 0.7,
        "label": label.astype(np.int16),
        "prediction": label.astype(np.int16),
        "margin": np.zeros((8, 45), dtype=np.int8),
        "lost_at": np.full((8, 45), -1, dtype=np.int8),
    }
    folder = tmp_path / "small" / "trials" / "0000"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "examples.parquet").write_bytes(example_table(columns))
    assert main(["examples", "small", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "no scores of networks: each was given noisy labels of its own; scores need data.noise_draw=study" in said
    assert "4 clean twins, 45 examples" in said
