"""Trials and networks of a study as data frames, and a table of trials in the formats that people ask for."""

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from study.config.addresses import command_line
from study.errors import Damaged, UsageError
from study.ledger.files import ARRAYS, EXAMPLES, LAYERS, NETWORKS, ListedFile, read_result, result_of
from study.ledger.gathered import gathered_tables, read_table
from study.ledger.tables import arrays_in
from trainables.opening import require_file_target
from trainables.record import MARGIN_STEP, TESTED

if TYPE_CHECKING:
    from pandas import DataFrame

    from study.ledger import TrialRow

Format = Literal["table", "json", "csv", "parquet"]
FORMATS: tuple[Format, ...] = ("table", "json", "csv", "parquet")
_SHOWN = 8
_FIRST = ("number", "state", "role")
_LAST = ("attempts", "uid", "mlflow_run_id", "fingerprint", "cell", "duration_s", "error")


def trial_frame(rows: Sequence["TrialRow"]) -> "DataFrame":
    """One row per trial: number, state, role, dotted params, metrics, then bookkeeping; absent metrics are NaN."""
    import pandas as pd

    params = _union(row.params for row in rows)
    metrics = _union(row.metrics for row in rows)
    records = [
        {
            **{name: getattr(row, name) for name in _FIRST},
            **{name: _cell(row.params.get(name)) for name in params},
            **{name: row.metrics.get(name) for name in metrics},
            **{name: getattr(row, name) for name in _LAST},
        }
        for row in rows
    ]
    frame = pd.DataFrame.from_records(records, columns=[*_FIRST, *params, *metrics, *_LAST])
    # A copy is one piece again; else whatever adds a column to hundreds of metrics is warned of its pieces.
    return frame.astype(dict.fromkeys((*metrics, "duration_s"), "float64")).copy()


def network_frame(directory: Path, rows: Sequence["TrialRow"], listed: Sequence[ListedFile] = ()) -> "DataFrame":
    """One row per network, arm and level of all trials, from `trials/0007/networks.parquet` under `directory`.

    Of a large study they are read from its gathered file, see `study.ledger.gathered`; the frame is the same.

    Columns: `trial`, its dense `cell`, its dotted params, then those of networks.parquet. Trials without the file (not
    finished, or failed) have no rows.

    Args:
        listed: The files that the ledger knows of: with one of them missing or different there is no frame, since what
            is computed from the others would be another answer.
    Raises:
        Damaged: Such a file, or one that can't be read; names them all.
    """
    import pandas as pd

    readable, counts, networks = _read_together(directory, rows, listed, NETWORKS)
    if networks is None:
        return pd.DataFrame({"trial": pd.Series(dtype="int64")})
    params = _union(row.params for row in readable)
    trials = [
        {"trial": row.number, "cell": row.cell} | {name: _cell(row.params.get(name)) for name in params}
        for row in readable
    ]
    own_trials = pd.DataFrame.from_records(trials).iloc[[i for i, count in enumerate(counts) for _ in range(count)]]
    own = networks.drop(columns=[*own_trials.columns], errors="ignore")
    return pd.concat([own_trials.reset_index(drop=True), own], axis=1)


def layer_frame(directory: Path, rows: Sequence["TrialRow"], listed: Sequence[ListedFile] = ()) -> "DataFrame":
    """One row per number of a layer, of all trials, from `trials/0007/layers.parquet`: `trial`, then its columns.

    Args:
        listed: As for `network_frame`.
    Raises:
        Damaged: As `network_frame`.
    """
    import numpy as np
    import pandas as pd

    readable, counts, layers = _read_together(directory, rows, listed, LAYERS)
    if layers is None:
        return pd.DataFrame({"trial": pd.Series(dtype="int64")})
    layers.insert(0, "trial", np.repeat([row.number for row in readable], counts))
    return layers


def _read_together(
    directory: Path, rows: Sequence["TrialRow"], listed: Sequence[ListedFile], kind: str
) -> "tuple[list[TrialRow], list[int], DataFrame | None]":
    """Trials that have their file, its number of rows, and the rows of all in one frame; None where no trial has."""
    of = {result_of(row.number, kind): row for row in rows}
    joint = gathered_tables(directory, [*of], {file.name: file for file in listed}, kind)
    if joint.wrong:
        raise results_damaged(directory, joint.wrong)
    readable = [of[name] for name in joint.rows]
    return readable, [*joint.rows.values()], None if joint.table is None else joint.table.to_pandas()


def example_frame(directory: Path, rows: Sequence["TrialRow"], listed: Sequence[ListedFile] = ()) -> "DataFrame":
    """One row per training example, network and arm of all trials, from `trials/0007/examples.parquet`.

    Columns: `trial`, its dense `cell`, then those of the file: `example`, `network`, `arm`; `subset`, whether the
    network was given the example; `label`, the one it has (or would have been given), and `true_label`; what the dense
    network says (`prediction`), whether that is `label` (`right`) and its `margin`, the logit of `label` less the
    largest other one, in steps of 0.25 up to ±31.75; `lost_at`, the level from which on `label` is missed, NaN where
    the last level has it. Of examples that the network was given: `learned`, the first epoch in which it was right when
    the example came in a batch, NaN where none was, and `forgotten`, how often it was wrong there after it was right.

    Args:
        listed: As for `network_frame`.
    Raises:
        Damaged: As `network_frame`.
    """
    import numpy as np
    import pandas as pd

    tables = list(example_tables(directory, rows, listed))
    if not tables:
        return pd.DataFrame({"trial": pd.Series(dtype="int64")})
    whole = pd.concat([table for _, table in tables], ignore_index=True)
    numbers = {"margin", "lost_at", "learned", "forgotten"} & {*whole.columns}
    whole = whole.astype(dict.fromkeys(numbers, "float32"))
    whole["margin"] *= MARGIN_STEP
    # Rows may be a hundred million: what all of a trial share is kept once.
    counts, cells = [len(table) for _, table in tables], [row.cell for row, _ in tables]
    all_cells = [*dict.fromkeys(cell for cell in cells if cell is not None)]
    codes = np.repeat(
        np.array([-1 if cell is None else all_cells.index(cell) for cell in cells], dtype=np.int32), counts
    )
    whole.insert(0, "cell", pd.Series(pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(all_cells))))
    whole.insert(0, "trial", np.repeat(np.array([row.number for row, _ in tables], dtype=np.int32), counts))
    return whole


def example_tables(
    directory: Path, rows: Sequence["TrialRow"], listed: Sequence[ListedFile] = ()
) -> "Iterator[tuple[TrialRow, DataFrame]]":
    """The content of `examples.parquet` of each trial that has it, one after another: together they may be large."""
    for row, table in _tables(directory, rows, {file.name: file for file in listed}, EXAMPLES):
        yield row, table.to_pandas()


def right_on_test_examples(directory: Path, row: "TrialRow", listed: Sequence[ListedFile]) -> Any:
    """Where dense networks are right, [networks, test examples], in the order of an example's rows; None: unknown.

    Raises:
        Damaged: The file is not what was written.
    """
    name = result_of(row.number, ARRAYS)
    entry = next((file for file in listed if file.name == name), None)
    path = directory / name
    if not path.is_file() and entry is None:
        return None
    content, trouble = read_result(path, entry)
    if not trouble:
        try:
            return arrays_in(content).get(TESTED)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            trouble = f"can't be read ({error})"
    raise results_damaged(directory, [f"{name} {trouble}"])


def _tables(
    directory: Path, rows: Sequence["TrialRow"], listed: Mapping[str, ListedFile], kind: str
) -> Iterator[tuple["TrialRow", Any]]:
    """Each trial that has its file, with the file's table."""
    wrong: list[str] = []
    for row in rows:
        name = result_of(row.number, kind)
        path, entry = directory / name, listed.get(name)
        if not path.is_file():
            wrong += [f"{name} is missing"] if entry is not None else []
            continue
        table, _, trouble = read_table(path, entry)
        if table is None:
            wrong.append(f"{name} {trouble}")
        else:
            yield row, table
    if wrong:
        raise results_damaged(directory, wrong)


def results_damaged(directory: Path, wrong: Sequence[str]) -> Damaged:
    """The refusal of a study some of whose results are not what was written.

    Args:
        wrong: `trials/0007/networks.parquet is missing` and the like.
    """
    names = ", ".join(wrong[:_SHOWN]) + (f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")
    name = directory.name
    return Damaged(
        f"results of {name!r} are damaged, and without them its answer would be another one: in {directory}, {names}",
        name,
        f"Put the files back from a copy (if they lie in another home, give it as --home), or run these trials again: "
        f"{command_line('resume', name, '--repair', home=directory.parent, ledger=None)}",
    )


def as_text(rows: Sequence["TrialRow"], form: Literal["json", "csv"]) -> str:
    """All trials with all params and metrics, as a JSON list (the contract of scripts) or as CSV."""
    if form == "json":
        return json.dumps([row.as_json() for row in rows], indent=2, allow_nan=False)
    return str(trial_frame(rows).to_csv(index=False)).rstrip("\n")


def as_parquet(rows: Sequence["TrialRow"]) -> bytes:
    """All trials as the bytes of a parquet file; params that differ in type from trial to trial become text."""
    frame = trial_frame(rows)
    for name in [name for name in frame.columns if frame[name].dtype == "object"]:
        if len({type(cell) for cell in frame[name] if cell is not None}) > 1:
            frame[name] = [None if cell is None else str(cell) for cell in frame[name]]
    return bytes(frame.to_parquet(index=False))


def write(path: Path, content: str | bytes) -> None:
    """Writes an output file.

    Raises:
        UsageError: It can't be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        require_file_target(path)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(f"{content}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out {path} can't be written: {(error.strerror or str(error)).lower()}.") from None


def _union(mappings: Any) -> list[str]:
    """Names in the order of first appearance."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _cell(value: Any) -> Any:
    """Lists as the notation of --set writes them, so that a column can be grouped by."""
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else value
