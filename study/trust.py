"""Places that Ockham connects to are the user's own choice, not that of a file somebody else may have written.

A Ray, an MLflow or a storage that answers can run code here, or learn what it is sent. Options, the environment and
Python code are the user's; what a study file or a ledger says is followed once he has said yes to that place, as with
the hosts that ssh knows.
"""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

from study.errors import UsageError
from study.passwords import mask_forms, mask_passwords, remember, userinfo

PLACES = ("address", "tracking_uri", "storage", "ledger")
_OWN = ("auto", "local")  # a Ray of this user on this machine: see `ray_session`

Sure = Callable[[Mapping[str, str], str], bool]


def ask_nobody(_places: Mapping[str, str], _source: str) -> bool:
    """Nobody is there to ask."""
    return False


def anybody(_places: Mapping[str, str], _source: str) -> bool:
    """Whatever it is: `--trust`."""
    return True


def require_trust(run: Mapping[str, object], source: str, sure: Sure) -> None:
    """Refuses places that this user has never been to, unless he is sure.

    Args:
        run: Fields of a `RunConfig` as a file says them.
        source: The file, for people.
        sure: Asked with option → place, and `source`.
    Raises:
        UsageError: He is not; names the places.
    """
    for name in PLACES:
        try:
            check_address(str(run.get(name) or ""))
        except ValueError as error:
            raise UsageError(f"{source}: {name}: {error}") from None
    there = {name: mask_passwords(str(run[name])) for name in PLACES if run.get(name) not in (None, *_OWN)}
    known = _trusted_places()
    new = {f"--{name.replace('_', '-')}": place for name, place in there.items() if place not in known}
    if new and not sure(new, source):
        listed = " and ".join(f"{option} {place}" for option, place in new.items())
        raise UsageError(
            f"{source} would connect you to {listed}, where you have not been before. What answers there can run code "
            "here: if you know it, add --trust, or give the option yourself"
        )
    remember_places(run)


def remember_places(run: Mapping[str, object]) -> None:
    """Notes where this user has chosen to go."""
    places = {mask_passwords(str(run[name])) for name in PLACES if run.get(name) not in (None, *_OWN)}
    if new := sorted(places - _trusted_places()):
        with suppress(OSError):  # he will be asked again
            file = _file()
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with open(handle, "a", encoding="utf-8") as lines:
                lines.writelines(f"{place}\n" for place in new if "\n" not in place)


def check_address(address: str) -> None:
    """Refuses an address that no library could make sense of, or that libraries understand in two ways.

    What is shown, and compared with where the user has been, has its password left out: no host may pass for one.

    Raises:
        ValueError: Says what is wrong.
    """
    remember(address)  # before anything is said of it
    try:
        address.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{mask_passwords(address)!r} is no UTF-8; percent-encode what is none") from None
    before, (_, found, rest) = userinfo(address), address.partition("://")
    if not found:
        if before:
            raise ValueError(
                f"{mask_passwords(address)}: which kind of address is it? Begin with postgresql://, http://, "
                "s3:// or another, or the name of a folder with ./"
            )
        return
    # Libraries end a user or a host at different ones of these; a backslash does for some (urllib3).
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    if odd := re.search(r"""[\s\x00-\x1f\x7f"'<>/?#\\]""", before) or re.search(r"[\\\s\x00-\x1f\x7f]", host):
        raise ValueError(
            f"{mask_passwords(address)}: {odd[0]!r} can't stand before its path; percent-encode it in a user or "
            f"password ({quote(odd[0], safe='')}), as an @ behind the host (%40)"
        )
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        said = str(error)
        raise ValueError(f"{mask_passwords(address)}: {said[:1].lower()}{mask_passwords(said[1:])}") from None
    if urlsplit(mask_forms(address)).hostname != parts.hostname:
        raise ValueError(
            f"{mask_passwords(address)}: which is its host? Percent-encode what is odd: / as %2F, @ as %40"
        )


def _trusted_places() -> set[str]:
    try:
        # A version that knew fewer secrets may have written them.
        return {mask_passwords(place) for place in _file().read_text(encoding="utf-8").splitlines()}
    except (OSError, ValueError):
        return set()


def _file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "ockham" / "places"
