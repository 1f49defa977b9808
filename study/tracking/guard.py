"""Who may talk to MLflow's server: the one user who started it, although every user of the machine can connect to it.

Scripts send the token as a bearer, which MLflow's client does by itself with MLFLOW_TRACKING_TOKEN. A browser gets it
as a cookie that no script reads and no other site sends: a page that only the user can read posts a ticket, once.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

ENTER = "/ockham/enter"
_OPEN = ("/health", "/version")  # whether it lives, for whoever watches over it
_LONGEST_FORM = 10_000

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PAGE = """<!doctype html><meta charset="utf-8"><title>MLflow, Ockham</title>
<body style="font: 16px sans-serif; margin: 4em auto; max-width: 40em">
<p>This MLflow server is one user's. <code>ockham ui</code> opens it and says where its token lies.</p>
<form method="post" action="{enter}"><input type="password" name="ticket" autofocus aria-label="token">
<button>Enter</button></form>"""
# A page of its own instead of a redirect: the request that follows then comes from this site, with its cookie.
_WELCOME = '<!doctype html><meta http-equiv="refresh" content="0; url={landing}"><title>MLflow</title>'
_LOCAL_PAGE = """<!doctype html><meta charset="utf-8"><title>MLflow</title>
<form method="post" action="{address}{enter}"><input type="hidden" name="ticket" value="{ticket}">
<button>Open MLflow</button></form><script>document.forms[0].submit()</script>
"""


class Guard:
    """An ASGI application in front of MLflow's.

    Args:
        token: What scripts send, and what may be typed into the page that refuses.
        ticket: What the local page posts; counts once.
        landing: The page that it opens.
    """

    def __init__(self, app: App, token: str, ticket: str, landing: str = "/") -> None:
        self._app, self._token, self._ticket = app, token, ticket
        self._welcome = _WELCOME.format(landing=escape(landing))
        self._session = secrets.token_urlsafe(32)
        self._cookie = f"ockham_{secrets.token_hex(4)}"  # cookies are shared by all servers of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets those in who have the token or the cookie."""
        if scope["type"] not in ("http", "websocket"):  # the server's own start and end
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == ENTER and scope["method"] == "POST":
            await self._enter(receive, send)
        elif self._knows(_headers(scope)) or (scope["type"] == "http" and scope["path"] in _OPEN):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _answer(send, 401, _PAGE.format(enter=ENTER), [(b"www-authenticate", b"Bearer")])

    def _knows(self, headers: dict[str, str]) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _is_same(sent.strip(), self._token):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and _is_same(cookie.value, self._session)

    async def _enter(self, receive: Receive, send: Send) -> None:
        sent = parse_qs((await _body(receive)).decode("latin-1")).get("ticket", [""])[0]
        if not (_is_same(sent, self._token) or (self._ticket and _is_same(sent, self._ticket))):
            await _answer(send, 401, _PAGE.format(enter=ENTER))
            return
        if sent == self._ticket:
            self._ticket = ""
        cookie = f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"
        await _answer(send, 200, self._welcome, [(b"set-cookie", cookie.encode())])


def local_page(address: str, ticket: str) -> str:
    """The page that posts the ticket; whoever can read it can enter."""
    return _LOCAL_PAGE.format(address=address, enter=ENTER, ticket=ticket)


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _body(receive: Receive) -> bytes:
    body = b""
    while len(body) < _LONGEST_FORM:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def _answer(send: Send, status: int, page: str, more: list[tuple[bytes, bytes]] | None = None) -> None:
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store"), *(more or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": page.encode()})
