"""Downloads that happen once, are verified, and leave nothing behind when they fail."""

import os
import shutil
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from trainables.errors import DataUnavailable

_PROBE_S, _STALL_S = 6.0, 30.0


def unavailable(name: str, data_dir: Path, expected: str, why: str) -> DataUnavailable:
    """The one sentence that a person needs: what is missing, where it was looked for, what would help."""
    return DataUnavailable(
        f"the data set {name} is not in {data_dir.absolute()} (expected there: {expected}) and could not be "
        f"downloaded: {why}; copy it there, or name the folder that holds it with --data-dir."
    )


def damage_error(name: str, data_dir: Path, file: str, why: str) -> DataUnavailable:
    """The data set is there, and not whole."""
    return DataUnavailable(
        f"the copy of {name} in {data_dir.absolute()} is damaged: {file} {why}; delete that file, and the data set is "
        "downloaded again, or put a whole one in its place."
    )


def download_once(
    name: str,
    data_dir: Path,
    expected: str,
    *,
    present: Callable[[], bool],
    fetch: Callable[[Path], None],
    addresses: Sequence[str],
) -> None:
    """Makes `present()` true by moving what `fetch` downloads and verifies into `data_dir`.

    One process downloads, others wait for it. Files are fetched into a temporary folder inside `data_dir` and moved
    into place one by one, so a killed download is never mistaken for a finished one.

    Args:
        name: Of the data set.
        data_dir: Created if need be; removed again if this created it and the download fails.
        expected: The layout that the data set has in `data_dir`, for the message.
        present: Whether the data set is there, complete.
        fetch: Downloads and verifies it into the folder given; raises on failure.
        addresses: One of them must answer within 6 s, or nothing is attempted.
    Raises:
        DataUnavailable: No network, a failed download or checksum, or a folder that cannot be written.
    """
    if present():
        return
    if why := _unreachable(addresses):
        raise unavailable(name, data_dir, expected, why)
    try:
        with writable_folder(data_dir), one_process(data_dir / f".{name}.lock"):
            if present():
                return
            for left_by_a_killed_download in data_dir.glob(f".{name}-*"):
                shutil.rmtree(left_by_a_killed_download, ignore_errors=True)  # in a shared folder it may be another's
            with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=data_dir) as folder, _socket_timeout(_STALL_S):
                fetch(Path(folder))
                _move_into(Path(folder), data_dir)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise unavailable(name, data_dir, expected, " ".join(str(error).split())[:300]) from error


def _move_into(source: Path, target: Path) -> None:
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, place)


@contextmanager
def writable_folder(folder: Path) -> Iterator[None]:
    """The folder exists and can be written; if it was created here, it goes again unless something was put in.

    What is made inside the block is as open as the folder is: a study keeps its own files to its user, but data folders
    are often shared.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    nearest = (missing[-1] if missing else folder / "file").parent
    before = os.umask(0o777 & ~nearest.stat().st_mode)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} cannot be written")
        yield
    finally:
        os.umask(before)
        for path in missing:
            if not any(path.iterdir()):
                path.rmdir()


@contextmanager
def one_process(file: Path) -> Iterator[None]:
    """One process at a time. The file goes afterwards: at worst two then download at once, each into its own folder."""
    with FileLock(file):
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Bounds every read of libraries that set no timeout themselves."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _unreachable(addresses: Sequence[str]) -> str | None:
    """None if an address answers within 6 s, else why not. Threads, as name resolution knows no timeout."""
    reasons: list[str] = []
    answered, ended = threading.Event(), threading.Semaphore(0)

    def probe(address: str) -> None:
        try:
            # Not urlopen: its opener keeps the proxies of its first call for ever.
            with urllib.request.build_opener().open(address, timeout=_PROBE_S):
                answered.set()
        except (OSError, ValueError) as error:
            reasons.append(f"{address}: {getattr(error, 'reason', error)}")
        ended.release()

    deadline = time.monotonic() + _PROBE_S
    for address in addresses:
        threading.Thread(target=probe, args=(address,), daemon=True).start()
    for _ in addresses:
        if ended.acquire(timeout=max(0.0, deadline - time.monotonic())) and answered.is_set():
            return None
    return reasons[0] if reasons else f"no answer from {addresses[0]} within {_PROBE_S:.0f} s"
