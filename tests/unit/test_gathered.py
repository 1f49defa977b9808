"""One file with the content of thousands: never another number than the trials' own files give."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from study.errors import Damaged
from study.ledger import gathered
from study.ledger.files import LAYERS, NETWORKS, ListedFile, result_of
from study.ledger.frames import layer_frame, network_frame
from study.storing.own_files import foreign

pytestmark = pytest.mark.slow

TRIALS = 70


def rows(count: int = TRIALS) -> list[Any]:
    """Trials."""
    return [SimpleNamespace(number=n, cell=f"cell {n // 2}", params={"model.width": 16 + n % 3}) for n in range(count)]


def content(number: int) -> dict[str, list[Any]]:
    """Of a trial's file: columns and types differ from trial to trial, as they do where something is undefined."""
    found: dict[str, list[Any]] = {"network": [0, 1], "ratio": [1, number] if number % 5 else [1.5, 2.5]}
    if number % 7 == 0:
        found = {"early": [True, None], **found}
    return found | {"loss": [None, None] if number % 3 else [None, number / 7], "reason": ["diverged", f"é{number}"]}


def write(folder: Path, number: int, values: dict[str, list[Any]], kind: str = NETWORKS) -> ListedFile:
    """A trial's file, as the ledger would list it."""
    path = folder / result_of(number, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(values).to_parquet(path)
    return ListedFile.from_content(result_of(number, kind), number, path.read_bytes())


def direct(folder: Path, trials: list[Any], listed: list[ListedFile], monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The frame from the trials' own files."""
    with monkeypatch.context() as patched:
        patched.setattr(gathered, "WORTH", 10**9)
        return network_frame(folder, trials, listed)


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, list[ListedFile]]:
    """A study that has been looked at."""
    folder = tmp_path / "home" / "large"
    listed = [write(folder, number, content(number)) for number in range(TRIALS)]
    network_frame(folder, rows(), listed)
    assert (folder / "networks.gathered").stat().st_mode & 0o077 == 0
    return folder, listed


Study = tuple[Path, list[ListedFile]]


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the trials' files that are opened from now on."""
    seen: list[str] = []

    def reading(path: Path, known: ListedFile | None) -> Any:
        seen.append(path.parent.name)
        return original(path, known)

    original = gathered.read_table
    monkeypatch.setattr(gathered, "read_table", reading)
    return seen


def test_it_is_the_frame_of_the_files_and_opens_none(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, listed = study
    seen = opened(monkeypatch)
    some = [one for one in rows() if one.number % 7 and one.number != 3]
    for trials in (rows(), some, some[::-1]):
        assert_frame_equal(network_frame(folder, trials, listed), found := network_frame(folder, trials))
        assert seen == []
        assert_frame_equal(found, direct(folder, trials, listed, monkeypatch))
        seen.clear()
    assert "early" not in found.columns, "which only trials have that were not asked for"
    assert found["trial"].tolist() == [one.number for one in some[::-1] for _ in range(2)]


def test_layers_have_one_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [write(tmp_path, number, {"layer": [0, 1], "value": [0.5, number]}, LAYERS) for number in range(TRIALS)]
    first = layer_frame(tmp_path, rows(), listed)
    seen = opened(monkeypatch)
    assert_frame_equal(layer_frame(tmp_path, rows(), listed), first)
    assert seen == []
    assert first["trial"].tolist() == [number for number in range(TRIALS) for _ in range(2)]
    assert (tmp_path / "layers.gathered").exists()


def test_a_small_study_has_none(tmp_path: Path) -> None:
    listed = [write(tmp_path, number, content(number)) for number in range(24)]
    assert len(network_frame(tmp_path, rows(24), listed)) == 48
    assert [path.name for path in tmp_path.iterdir()] == ["trials"]


def _gone(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flipped(path: Path) -> None:
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 4
    path.write_bytes(changed)


def _foreign(path: Path) -> None:
    shutil.copy(path.parents[1] / "0008" / path.name, path)


DAMAGES = (_gone, _empty, _cut_off, _flipped, _foreign)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_as_before(study: Study, damage: Callable[[Path], None]) -> None:
    folder, listed = study
    damage(folder / result_of(11, NETWORKS))
    for _ in range(2):
        with pytest.raises(Damaged, match=r"trials/0011/networks.parquet .*--repair"):
            network_frame(folder, rows(), listed)


@pytest.mark.parametrize("damage", DAMAGES[:4])
def test_a_damaged_one_is_made_again(
    study: Study, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, listed = study
    whole, path = network_frame(folder, rows(), listed), folder / "networks.gathered"
    damage(path)
    assert_frame_equal(network_frame(folder, rows(), listed), whole)
    seen = opened(monkeypatch)
    assert_frame_equal(network_frame(folder, rows(), listed), whole)
    assert seen == []


def test_another_studys_tells_nothing(study: Study, tmp_path: Path) -> None:
    folder, _ = study
    other = tmp_path / "home" / "other"
    listed = [write(other, number, {"network": [number]}) for number in range(TRIALS)]
    shutil.copy(folder / "networks.gathered", other)
    assert network_frame(other, rows(), listed)["network"].tolist() == list(range(TRIALS))


def test_a_trial_run_again_is_read_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where neither size nor time of its file tell, but the ledger does."""
    folder, listed = study
    path = folder / result_of(11, NETWORKS)
    before = path.stat()
    listed[11] = write(folder, 11, content(11) | {"network": [5, 6]})
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for _ in range(2):
        found = network_frame(folder, rows(), listed)
        assert found.loc[found["trial"] == 11, "network"].tolist() == [5, 6]
        assert_frame_equal(found, direct(folder, rows(), listed, monkeypatch))


def test_it_is_written_anew_when_a_tenth_is_new(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, listed = study
    path = folder / "networks.gathered"
    monkeypatch.setattr(gathered, "WORTH", 5)
    seen = opened(monkeypatch)
    written = [path.stat().st_ino]
    for number in range(TRIALS, TRIALS + 9):
        listed.append(write(folder, number, content(number)))
        network_frame(folder, rows(number + 1), listed)
        written.append(path.stat().st_ino)
    assert seen == [f"{n:04d}" for last in range(70, 77) for n in range(70, last + 1)] + ["0077", "0077", "0078"]
    assert len(set(written[:7])) == 1
    assert written[7] != written[6], "with the seventh of 77"
    assert_frame_equal(network_frame(folder, rows(79), listed), direct(folder, rows(79), listed, monkeypatch))


def test_a_copied_home_does_not_grow(study: Study) -> None:
    """Every file has another time; and files that are other ones leave nothing behind."""
    folder, listed = study
    path = folder / "networks.gathered"
    size = path.stat().st_size
    for number in range(TRIALS):
        os.utime(folder / result_of(number, NETWORKS))
    network_frame(folder, rows(), listed)
    assert abs(path.stat().st_size - size) < 600
    again = [write(folder, number, content(number) | {"network": [7, 8]}) for number in range(TRIALS)]
    assert set(network_frame(folder, rows(), again)["network"]) == {7, 8}
    assert abs(path.stat().st_size - size) < 600


def test_many_may_look_at_once(study: Study) -> None:
    folder, listed = study
    whole = network_frame(folder, rows(), listed)
    (folder / "networks.gathered").unlink()
    with ThreadPoolExecutor(6) as lookers:
        for found in lookers.map(lambda _: network_frame(folder, rows(), listed), range(24)):
            assert_frame_equal(found, whole)
    assert sorted(path.name for path in folder.iterdir()) == ["networks.gathered", "trials"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_somebody_elses_home_is_read_only(study: Study) -> None:
    folder, listed = study
    (folder / "networks.gathered").unlink()
    folder.chmod(0o500)
    try:
        assert len(network_frame(folder, rows(), listed)) == 2 * TRIALS
    finally:
        folder.chmod(0o700)


def test_where_nothing_can_be_written_all_is_read(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, listed = study
    whole = network_frame(folder, rows(), listed)
    (folder / "networks.gathered").unlink()
    (folder / "networks.gathered").mkdir()  # nothing can take its name, whoever asks
    for _ in range(2):
        assert_frame_equal(network_frame(folder, rows(), listed), whole)
    assert [path.name for path in folder.iterdir() if path.suffix != ""] == ["networks.gathered"]


def test_a_study_owns_what_its_trials_left() -> None:
    mine = ["networks.gathered", "layers.gathered", "networks.tmp-12-3456"]
    mine += [f"trials/0007/{name}" for name in (NETWORKS, LAYERS, "arrays.npz", "examples.parquet", "layers.12.tmp")]
    assert foreign([*mine, "trials/0007/notes.txt", "mine.gathered"]) == ["trials/0007/notes.txt", "mine.gathered"]
