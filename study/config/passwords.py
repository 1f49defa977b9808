"""URLs as they may be shown, written into files and sent elsewhere: without the password in them."""

import re

HIDDEN = "***"
_IN_ADDRESS = re.compile(r"(?<=://)([^:/?#@]*):[^@]*@")  # scheme://user:password@host
_IN_QUERY = re.compile(r"(?<=[?&])((?:password|secret_key)=)[^&]*")


def without_password(url: str) -> str:
    """`url` with *** in place of a password."""
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", url))


def lacks_password(url: str) -> bool:
    """Whether `url` has been written down by `without_password`."""
    return without_password(url) == url and (f":{HIDDEN}@" in url or f"={HIDDEN}" in url)
