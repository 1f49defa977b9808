"""What is secret in an address stays out of every text that leaves: messages, logs, files, tags, errors of libraries.

`mask_passwords` finds secrets by their form, in any text, and those it has been told of (`remember`) wherever they
stand: a library may print a piece of an address.
"""

import re
from typing import TextIO
from urllib.parse import quote, unquote

HIDDEN = "***"
_SHORTEST = 4  # a shorter secret is no secret, and would be found in half of all words
_NAMES_ITS_USER = ("postgres", "sqlite", "mysql", "ssh", "ray")  # a lone name before @ is a user's, elsewhere a token
# scheme://user:password@host; the last @ before the path ends the password. One with a / in it is no address to most
# libraries, and users write it all the same: what stands before the / is then no port.
_IN_ADDRESS = re.compile(
    r"""(?P<scheme>[a-z][a-z0-9+.-]*)://
        (?P<user>[^\s:/?#@'"<>]*)
        (?: :(?P<password>[^\s/?#'"<>]*|(?!\d+[/?#])[^\s'"<>]*) )?
        @""",
    re.VERBOSE | re.IGNORECASE,
)
_SETTING = (
    r"[\w.-]{0,40}(?:passw(?:or)?d|pwd|passphrase|passcode|secret|token|api_?-?key|private_?-?key|account_?-?key|"
    r"credentials?|signature)(?:_?-?(?:key|value))?"
)
# name=value as in a query or a connection's settings, 'name': 'value' as in JSON and Python
_IN_SETTING = re.compile(rf"""(?P<name>{_SETTING}\s*=\s*)(?:'[^']*'|"[^"]*"|[^\s&;,'"<>)\]}}]+)""", re.IGNORECASE)
_IN_MAPPING = re.compile(rf"""(?P<name>(["']){_SETTING}\2\s*:\s*)(?P<quote>["'])[^"']*(?P=quote)""", re.IGNORECASE)
_IN_HEADER = re.compile(r"(?P<name>\bauthorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer)\s+)[^\s'\",]+", re.IGNORECASE)

_told: set[str] = set()


def mask_passwords(text: str) -> str:
    """`text` with *** in place of every secret."""
    text = without_password(text)
    for pattern in (_IN_SETTING, _IN_HEADER):
        text = pattern.sub(rf"\g<name>{HIDDEN}", text)
    text = _IN_MAPPING.sub(rf"\g<name>\g<quote>{HIDDEN}\g<quote>", text)
    for secret in sorted(_told, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def without_password(text: str) -> str:
    """`text` with *** in place of what stands as a password or token before the @ of an address."""
    return _IN_ADDRESS.sub(_mask_match, text)


def remember(address: str | None) -> None:
    """Tells this process of the secrets in an address, which libraries may print in pieces."""
    for found in _IN_ADDRESS.finditer(address or ""):
        named = found["password"] or ("" if _names_its_user(found["scheme"]) else found["user"])
        for piece in (named, *named.split("@")):
            for spelling in (piece, unquote(piece), quote(unquote(piece), safe="")):
                if len(spelling) >= _SHORTEST and spelling != HIDDEN:
                    _told.add(spelling)


def lacks_password(url: str) -> bool:
    """Whether `url` has been written down by `mask_passwords`."""
    return mask_passwords(url) == url and HIDDEN in url


class MaskedStream:
    """A text stream whose lines have no secrets in them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes it without secrets."""
        self._stream.write(mask_passwords(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """As `write`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _mask_match(found: "re.Match[str]") -> str:
    scheme, user, password = found["scheme"], found["user"], found["password"]
    if password is None:
        user = user if _names_its_user(scheme) else HIDDEN
        return f"{scheme}://{user}@"
    if password in ("", "x-oauth-basic"):  # as some servers want a token to be sent
        return f"{scheme}://{HIDDEN}:@"
    return f"{scheme}://{user}:{HIDDEN}@"


def _names_its_user(scheme: str) -> bool:
    return scheme.lower().startswith(_NAMES_ITS_USER)
