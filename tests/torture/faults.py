"""Sixteen ways to answer in the place of an MLflow server, each a function of the request and of what passes it on."""

import socket
import struct
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tests.torture.tracking import Fault, Reply, answer

REQUEST_S = 1  # that the client's requests may take
_PAGE = b"<!doctype html><title>Sign in</title><p>Please sign in."

Handler = BaseHTTPRequestHandler
PassOn = Callable[[], Reply]


def bad_value(handler: Handler, _pass_on: PassOn) -> None:
    """400 as MLflow itself says it, to everything."""
    answer(handler, (400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}'))


def bad_request(handler: Handler, _pass_on: PassOn) -> None:
    """400 of a proxy."""
    answer(handler, (400, b"<html>400 Bad Request</html>"), "text/html")


def unauthorized(handler: Handler, _pass_on: PassOn) -> None:
    """401."""
    answer(handler, (401, b"You are not authenticated."), "text/plain", WWW_Authenticate='Basic realm="mlflow"')


def forbidden(handler: Handler, _pass_on: PassOn) -> None:
    """403."""
    answer(handler, (403, b'{"error_code": "PERMISSION_DENIED", "message": "Permission denied"}'))


def not_found(handler: Handler, _pass_on: PassOn) -> None:
    """404 of a proxy that has lost its way."""
    answer(handler, (404, b"<html>404 Not Found</html>"), "text/html")


def unknown(handler: Handler, _pass_on: PassOn) -> None:
    """404 as MLflow says it of a run that it does not have."""
    answer(handler, (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such run"}'))


def too_large(handler: Handler, _pass_on: PassOn) -> None:
    """413 of a proxy."""
    answer(handler, (413, b"<html>413 Request Entity Too Large</html>"), "text/html")


def too_many(handler: Handler, _pass_on: PassOn) -> None:
    """429."""
    answer(handler, (429, b'{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slower"}'), Retry_After="0")


def failing(handler: Handler, _pass_on: PassOn) -> None:
    """500."""
    answer(handler, (500, b"{}"))


def unavailable(handler: Handler, pass_on: PassOn) -> None:
    """503 of a proxy whose server took longer than it waits, and does what it was told all the same."""
    pass_on()
    answer(handler, (503, b"<html>503 Service Unavailable</html>"), "text/html", Retry_After="0")


def page(handler: Handler, _pass_on: PassOn) -> None:
    """200 with a page to sign in."""
    answer(handler, (200, _PAGE), "text/html")


def empty(handler: Handler, _pass_on: PassOn) -> None:
    """200 and no word more."""
    answer(handler, (200, b"{}"))


def half(handler: Handler, pass_on: PassOn) -> None:
    """Done, and half of the reply."""
    status, content = pass_on()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) + 2))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def reset(handler: Handler, pass_on: PassOn) -> None:
    """Done, and the connection is reset before a word of it."""
    pass_on()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def delayed(handler: Handler, pass_on: PassOn) -> None:
    """Half a second for everything."""
    time.sleep(0.5)
    answer(handler, pass_on())


def hanging(handler: Handler, pass_on: PassOn) -> None:
    """No answer; it does what it was told when nobody waits for it any more."""
    time.sleep(REQUEST_S + 0.3)
    pass_on()
    handler.close_connection = True


_ANSWERED = (bad_value, bad_request, unauthorized, forbidden, not_found, unknown, too_large, too_many, failing, empty)
_BROKEN = (unavailable, page, half, reset, delayed, hanging)
FAULTS: dict[str, Fault] = {fault.__name__: fault for fault in (*_ANSWERED, *_BROKEN)}
