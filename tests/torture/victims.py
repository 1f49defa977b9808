"""The processes of a running study, by what they do, and how they are killed."""

import os
import signal
import subprocess

import psutil

KINDS = {"driver": 32, "worker": 48, "raylet": 4, "gcs_server": 2, "publisher": 14}  # and how often each is chosen


def find(driver: "subprocess.Popen[str]", kind: str) -> list[int]:
    """Process ids; none where there is none yet."""
    if kind == "driver":
        return [driver.pid] if driver.poll() is None else []
    try:
        children = psutil.Process(driver.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [process.pid for process in children if _kind(process) == kind]


def family(driver: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The driver's descendants, which may outlive it for a while."""
    try:
        return psutil.Process(driver.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill(pid: int) -> bool:
    """SIGKILL; False if it went on its own."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def bury(processes: list[psutil.Process]) -> None:
    """Ends what is left of a dead driver's family: Ray's agents look for its dead head for a minute."""
    for process in processes:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            kill(process.pid)


def _kind(process: psutil.Process) -> str:
    try:
        line = process.cmdline()
        name = process.name()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
    if line and line[0].startswith("ray::StudyTrial"):
        return "worker"
    if "study.tracking.publisher" in line:
        return "publisher"
    return name
