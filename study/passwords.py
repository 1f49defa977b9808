"""What is secret in an address stays out of every text that leaves: messages, logs, files, tags, errors of libraries.

`mask_passwords` finds secrets by their form, in any text, and those it has been told of (`remember`) wherever they
stand: a library may print a piece of an address. The first is a guess, and leaves prose and ordinary settings alone;
the second is exact, and every address that a user gives goes through it before anything is said or written.
"""

import html
import json
import re
from collections.abc import Iterator
from typing import TextIO
from urllib.parse import quote, unquote, unquote_plus

# Patterns are compiled when a text first needs them: most commands print nothing that could be secret.
HIDDEN = "***"
_HIDE = rf"\g<name>{HIDDEN}"
_SHORTEST = 4  # a shorter secret is no secret, and would be found in half of all words
_NAMES_ITS_USER = ("postgres", "sqlite", "mysql", "ssh", "ray")  # a lone name before @ is a user's, elsewhere a token
_OF_FILES = ("sqlite", "file")  # more than two slashes begin a path, which may hold whatever a folder's name may
_NO_PASSWORD = ("", "x-oauth-basic")  # as some servers want a token to be sent: as the user
# A host that is a number, or this machine, is no user: what follows its colon is a port.
_HOST = r"(?:localhost|\d+(?:\.\d+){3}|\[[^\]\s]{0,64}\])"
# The same of a named host, where settings follow its path: a password seldom has all of these.
_HOST_WITH_SETTINGS = r"[\w.-]{1,253}:\d{1,5}/[^\s?#@]{0,256}\?[\w.-]{1,64}="
# A quote ends a text that an address stands in, unless a word goes on right behind it.
_QUOTE = r"""(?:"(?="{0,9}[\w@%:])|'(?='{0,9}[\w@%:])|[<>](?=[\w@%:]))"""

# scheme://user:password@host; the last @ before the path ends the password. One with a / in it is no address to most
# libraries, and users write it all the same: what stands before the / is then no port.
_IN_ADDRESS = rf"""(?xi)(?: (?P<scheme>[a-z][a-z0-9+.-]{{0,40}}): | (?<![:/\w]) )(?P<slashes>//+)
        (?!{_HOST}:\d*[/?#]|{_HOST_WITH_SETTINGS})
        (?P<user>(?:[^\s:/?\#@'"<>]|{_QUOTE})*)
        (?: :(?P<password>(?:[^\s/?\#'"<>]|{_QUOTE})*|(?:[^\s'"<>]|{_QUOTE})*) )?
        @"""
# The same in the query of another, or in a form that was sent.
_IN_CODED_ADDRESS = r"(?i)(?P<name>%3A%2F%2F(?:(?!%3A|%40|%2F)[^\s&]){0,256}%3A)(?:(?!%40)[^\s&]){1,256}(?=%40)"
# user:password@host; something in it has to be unlike a word, for mail:me@example.org is none
_WITHOUT_SCHEME = rf"""(?xi)(?<![\w/.:@%+~-])
        (?P<name>(?!{_HOST}:|(?:mailto|e?-?mails?|author|contact|from|to|cc|https?|file|sqlite):)[\w.+-]{{1,64}}:)
        (?!['"<>/])(?:(?=[^\s@]{{0,99}}\d)(?=[^\s@]{{0,99}}[a-z])|(?=[^\s@]{{0,99}}@(?:[\w.-]{{1,99}}(?:/|:\d)|[^\s@]{{0,99}}@)))
        (?:[^\s'"<>,;(){{}}\[\]]|[,;(){{}}\[\]](?=\w)|{_QUOTE}){{1,256}}(?=@(?!sha256:)[\w\[])"""

_PASSWORD = r"(?:passw(?:or)?d|pwd|passphrase|passcode)"  # noqa: S105 - names
_KEY = (
    r"(?:(?:api|private|account|access|secret|ssl|tls|auth|session|shared|signing|encryption|master|client|consumer|"
    r"subscription)_?-?key)"
)
_NAME = rf"(?:{_PASSWORD}|{_KEY}|secret|token|credentials?|signature)(?:_?-?(?:key|value))?"
# Short ones are parts of other words: they count where they are all of the name, or as in DB_PASS.
_SHORT = r"(?:(?<![\w.-])(?:pass|auth|sig|sas|jwt)|(?-i:[A-Z0-9]_(?:PASS|AUTH|SIG|JWT|PW)))"
_SENT = r"(?:(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{0,40}(?:key|token|secret|signature|auth))"

# A value ends at a separator, a quote or a bracket, unless it goes on right behind and no other setting begins there.
_PLAIN = (
    r"""(?:[^\s:&;,'"<>)\]}]|:(?=\S)|[&;,](?![\w.%-]*=)(?=['"<>)\]}&;,]{0,9}\w)|['"<>)\]}](?=['"<>)\]}]{0,9}\w))+"""
)
_QUOTED = r"""[bru]{0,2}(?P<quote>['"])(?:\\.|(?P=quote){2}|(?!(?P=quote))[^\\])*(?P=quote)(?!\w)"""
_VALUE = rf"(?:{_QUOTED}|\([^()\n]*\)|\[[^\[\]\n]*\]|{_PLAIN})"
# $(cat FILE), $NAME and ${NAME} say where a secret is, and are what a printed command has instead of it.
_REFERENCE = r"""(?:"?\$(?:\((?:'[^']*'|"[^"]*"|[^()'"\n])*\)|\{\w+\}|(?-i:[A-Z_][A-Z0-9_]*))"?(?=[\s&;,'")\]}]|$))"""
_LIKE_NO_WORD = r"(?=\S{0,99}\d)(?=\S{0,99}[a-z])"
_TO_THE_END = r"""(?:[^\n'"]|(?<==)"[^"\n]*")+"""  # of a header, which has quotes in parameters only

_SETTINGS = tuple(
    f"(?i){pattern}"
    for pattern in (
        # name=value as in a query, a connection's settings or an environment; the = may be encoded
        rf"(?P<name>(?:{_NAME}|{_SHORT})(?:\s*=\s*|%(?:25)*3D))(?!{_REFERENCE}){_VALUE}",
        # name: value as in YAML, and not as in prose: nothing follows, or it is unlike a word
        rf"(?P<name>(?:{_PASSWORD}|{_KEY})\s?:[ \t]+)(?!(?:str|bytes|none|null)\b|{_REFERENCE})"
        rf"(?:{_QUOTED}|{_PLAIN}(?=[ \t]*(?:$|[\n,;)\]}}]))|{_LIKE_NO_WORD}{_PLAIN})",
        rf"(?P<name>(?:{_NAME})\s?:[ \t]*)(?!{_REFERENCE}){_LIKE_NO_WORD}(?=\S{{6}}){_PLAIN}",
        # PASSWORD 'value' as in SQL
        rf"(?P<name>\b(?:{_PASSWORD}|identified\s+by)\s+){_QUOTED}",
        # headers
        rf"(?P<name>\bauthorization\s*[:=]\s*(?:basic|bearer)\s+)(?!{_REFERENCE}){_PLAIN}",
        rf"(?P<name>\bauthorization\s*[:=]\s*(?:(?!basic|bearer)[\w-]+\s+)?)(?!basic|bearer)(?=\S{{0,99}}[\d=]){_TO_THE_END}",
        rf"(?P<name>\b(?:set-)?cookie\s*[:=]\s*)(?=[^\s=;'\"]{{1,256}}=){_TO_THE_END}",
        rf"(?P<name>\bx-[\w-]{{0,40}}(?:key|token|secret|signature|auth)\s*:\s*)(?!{_REFERENCE}){_VALUE}",
    )
)
# 'name': 'value' as in JSON and Python; in a text within a text every quote has a backslash or more before it
_IN_MAPPING = rf"""(?xi)(?P<name>(?P<first>(?<!\\)\\{{0,16}}["'])
            (?:[\w.-]{{0,40}}(?:{_NAME}|{_SHORT})|{_SENT})(?P=first)\s*:\s*[bru]{{0,2}})
        (?: (?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\])*(?P=quote)
          | (?P<inner>\\+["'])(?:(?!(?P=inner)).|(?<=\\)(?P=inner))*(?P=inner) )"""

# Without one of these in a text no setting in it is secret: most lines of a log are looked at no further.
_HINTS: tuple[str, ...] = ("pass", "pw", "key", "secret", "token", "credential", "auth", "sas", "jwt", "cookie")
_HINTS += ("identified", "signature", *(f"sig{end}" for end in "=:%\"'\\ \t\n"))  # a design is none

_told: set[str] = set()


def mask_passwords(text: str) -> str:
    """`text` with *** in place of every secret."""
    for secret in sorted(_told, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return mask_forms(text)


def mask_forms(text: str) -> str:
    """`text` with *** in place of what has the form of a secret, whatever this process has been told of."""
    if "@" in text:
        text = re.sub(_IN_ADDRESS, _mask_match, text)
        text = re.sub(_WITHOUT_SCHEME, _HIDE, text)
    if "%40" in text:
        text = re.sub(_IN_CODED_ADDRESS, _HIDE, text)
    folded = text.lower()
    if any(hint in folded for hint in _HINTS):
        for pattern in _SETTINGS:
            text = re.sub(pattern, _HIDE, text)
        text = re.sub(_IN_MAPPING, _mask_value, text)
    return text


def userinfo(address: str) -> str:
    """What stands before the host of an address, as it is written: user and password; "" if there is none.

    Found where the user meant it, also if no library would: up to the last @ that can end it. A path is none.
    """
    scheme, found, rest = address.partition("://")
    if not found:
        scheme, rest = "", address.removeprefix("//")
        if rest.startswith(("/", ".", "~")):
            return ""
    elif scheme.lower().startswith(_OF_FILES) and rest.startswith("/"):
        return ""
    rest = rest.lstrip("/")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        before = authority.rpartition("@")[0]
    elif ":" in authority and not re.match(f"{_HOST}(?:[:/?#]|$)|{_HOST_WITH_SETTINGS}", rest, re.IGNORECASE):
        before = rest.rpartition("@")[0]
    else:
        before = ""
    return before if found or ":" in before else ""


def remember(address: str | None) -> None:
    """Tells this process of the secrets in an address, which libraries may print in pieces."""
    for secret in _secrets(address or ""):
        _told.update(spelling for spelling in _spellings(secret) if len(spelling) >= _SHORTEST and spelling != HIDDEN)


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


def _secrets(address: str) -> Iterator[str]:
    user, _, password = userinfo(address).partition(":")
    named = password
    if password in _NO_PASSWORD:
        named = "" if _names_its_user(address) else user
    yield from (named, *named.split("@"), *unquote(named).split("@"))
    for found in re.finditer(rf"(?:{_NAME}|{_SHORT})=([^&]*)", address, re.IGNORECASE):
        yield from (found[1], re.split("[;#]", found[1], maxsplit=1)[0])


def _spellings(secret: str) -> Iterator[str]:
    """As it is written, and as libraries, JSON, Python, SQL and HTML write it."""
    for plain in {secret, unquote(secret), unquote_plus(secret)}:
        coded, *others = (quote(plain, safe=safe, errors="surrogatepass") for safe in ("", "/", " +"))
        yield from (plain, coded, quote(coded, safe=""), coded.replace("%20", "+"), *others)
        yield from (json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1], repr(plain)[1:-1])
        yield from (plain.replace("'", "''"), plain.replace("'", "'\"'\"'"), html.escape(plain))


def _mask_match(found: "re.Match[str]") -> str:
    scheme, user, password = found["scheme"] or "", found["user"], found["password"]
    before = f"{scheme}:{found['slashes']}" if scheme else found["slashes"]
    if scheme.lower().startswith(_OF_FILES) and len(found["slashes"]) > 2:
        return found[0]
    if password is None:
        return f"{before}{user if not scheme or _names_its_user(scheme) else HIDDEN}@"
    if password in _NO_PASSWORD:
        return f"{before}{HIDDEN}:@"
    return f"{before}{user}:{HIDDEN}@"


def _mask_value(found: "re.Match[str]") -> str:
    quote_mark = found["quote"] or found["inner"]
    return f"{found['name']}{quote_mark}{HIDDEN}{quote_mark}"


def _names_its_user(address: str) -> bool:
    return address.lower().startswith(_NAMES_ITS_USER)
