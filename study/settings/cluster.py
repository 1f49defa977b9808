"""A Ray that can't be joined is said before anything starts: Ray itself tries for minutes, then ends the process."""

import os
import socket
from urllib.parse import urlsplit

from study.config import RunConfig
from study.errors import UsageError
from study.passwords import mask_passwords
from study.settings.own_cluster import own_cluster

_PATIENCE_S = 3.0
# What speaks gRPC, as Ray's head does, sends its settings to whoever opens like this (RFC 9113, sections 3.4 and 6.5).
_SETTINGS = 4
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])


def check_cluster(run: RunConfig) -> None:
    """Knocks at the Ray that the study is to join, if it is not to start its own.

    Raises:
        UsageError: Nobody opens within three seconds, or somebody who is no Ray; or `auto` finds none of this user.
    """
    if run.address is None:
        return
    if why := _missing(own_cluster() if run.address == "auto" else run.address):
        raise UsageError(
            f"--address {mask_passwords(run.address)}: {why}. Give HOST:PORT as `ray start --head` printed it (6379 "
            "unless told otherwise) and see whether that machine lets you in, or --address local for a Ray "
            "on this machine"
        )


def _missing(address: str) -> str:
    """Why no Ray is to be joined there, "" if one is, or if its kind of address is known to a plug-in of Ray only."""
    scheme, _, place = address.rpartition("://")
    if scheme not in ("", "ray"):
        return ""
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if not host or not port:
        return "it names no port" if host else "it names no host"
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE_S) as connection:
            return "" if _speaks_grpc(connection) else f"what listens at {host}:{port} is no Ray"
    except OSError as error:
        return f"no Ray listens there ({error.strerror or error})"


def _speaks_grpc(connection: socket.socket) -> bool:
    if os.environ.get("RAY_USE_TLS", "0") != "0":  # it waits for a certificate, which is Ray's to show
        return True
    heard = b""
    try:
        connection.sendall(_HELLO)
        while len(heard) < 4 and (piece := connection.recv(64)):
            heard += piece
    except OSError:  # silent, or gone
        return False
    return heard[3:4] == bytes([_SETTINGS])
