"""Who may talk to the server: checks of Host, Origin and token before anything else sees a request."""

import ipaddress
import secrets
import socket
from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN: Final = frozenset({"/healthz"})
_PAGES: Final = frozenset({"/", "/docs", "/device", "/device/"})
_FOREIGN: Final = frozenset({"cross-site", "same-site"})
MAX_BODY: Final = 1_000_000
"""Bytes of a request's body, where it is not an uploaded file."""

_UPLOAD: Final = ("POST", "/api/videos")  # has a limit of its own
_TOO_LARGE: Final = f"the request is larger than {MAX_BODY // 1_000_000} MB"
_NO_TOKEN = "open the address with the token that 'sepcam serve' printed"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not come in.

    Attributes:
        status: of HTTP.
        detail: one line.
    """

    status: int
    detail: str


class Access:
    """Decides who may come in.

    On 127.0.0.1 everyone on this machine may, through a browser only from the page itself: a foreign page
    would come with another Origin, or (DNS rebinding) with another Host. Any other address needs the token.

    Attributes:
        token: in the address that is printed once; None where none is needed.
        cookie: name and value that a browser gets for it.
    """

    token: str | None
    cookie: tuple[str, str]

    def __init__(self, address: str, port: int, *, names: Collection[str] = (), secure: bool = False) -> None:
        """Make a token if the address needs one.

        Args:
            address: IP address that the server listens at.
            port: of the server; cookies of several servers on one machine are told apart by it.
            names: host names by which the server may be called beside its addresses.
            secure: whether it speaks TLS.
        """
        self._local = ipaddress.ip_address(address).is_loopback
        self._names = {"localhost", *(name.lower() for name in names)}
        if not self._local:
            self._names |= {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
        self._secure = secure
        self.token = None if self._local else secrets.token_urlsafe(24)
        self.cookie = f"sepcam_{port}", secrets.token_urlsafe(24)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why a request or a WebSocket is refused, or None where it is welcome."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._known(host):
            return Refusal(403, f"this server is not called {host[:100]!r}: allow it with --allow-host")
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host.lower():
            return Refusal(403, f"pages of {origin[:100]!r} may not use this server")
        page = headers.get("sec-fetch-mode") == "navigate" and scope["path"] in _PAGES
        if headers.get("sec-fetch-site") in _FOREIGN and not page:
            return Refusal(403, "other sites may not use this server")
        if self.token is None or scope["path"] in _OPEN or self._has_token(scope, headers):
            return None
        return Refusal(401, _NO_TOKEN)

    def welcome(self, scope: Scope) -> str | None:
        """The cookie to set for somebody who came with the token in the address, as a header."""
        if self.token is None or not _same(_in_query(scope), self.token):
            return None
        name, value = self.cookie
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if self._secure else "")

    def _known(self, host: str) -> bool:
        """A name under which nobody else can bring a browser here.

        An address as such is no name that could be bound to another; on 127.0.0.1 only this machine's fit.
        """
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
            address = ipaddress.ip_address(name)
        except ValueError:
            return bool(host) and _hostname(host) in self._names
        return address.is_loopback or not self._local

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        assert self.token is not None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        return (
            _same(_cookie(headers.get("cookie", ""), self.cookie[0]), self.cookie[1])
            or (scheme.lower() == "bearer" and _same(bearer.strip(), self.token))
            or _same(_in_query(scope), self.token)
        )


class Guard:
    """Admits what ``Access`` admits, limits it, and adds to every answer the headers that isolate a page."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._access.refusal(scope)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.detail})
            return
        cookie = None if refusal else self._access.welcome(scope)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if cookie is not None:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        if (scope["method"], scope["path"]) != _UPLOAD:
            refusal = refusal or _too_large(scope)
            receive = _limited(receive)
        answer: Any = self._app
        if refusal is not None:
            answer = JSONResponse({"detail": refusal.detail}, refusal.status)
        await answer(scope, receive, dressed)


def _too_large(scope: Scope) -> Refusal | None:
    """Why a body is refused that says how large it is."""
    length = Headers(scope=scope).get("content-length", "")
    return Refusal(413, _TOO_LARGE) if length.isdecimal() and int(length) > MAX_BODY else None


def _limited(receive: Receive) -> Receive:
    """The same body, as long as it is not too large; FastAPI answers with the exception's status."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return limited


def _same(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _in_query(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return parse_qs(query).get("token", [""])[0]


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
