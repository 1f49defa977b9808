"""What can be reached from where: small programs for the hosts, which have nothing but Python."""

import shlex

from tests.cluster.hosts import Host

_CONNECT = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def open_(port):
    with socket.socket() as attempt:
        attempt.settimeout(2.0)
        return attempt.connect_ex((sys.argv[1], int(port))) == 0
with ThreadPoolExecutor(32) as pool:
    print(*(port for port, open in zip(sys.argv[2:], pool.map(open_, sys.argv[2:])) if open))
"""
# Prints what the head's MLflow answers at a URL, to a body if one is given; the first argument is the token.
GET = """
import sys, urllib.request
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + sys.argv.pop(1)}
data = sys.argv[2].encode() if len(sys.argv) > 2 else None
request = urllib.request.Request(sys.argv[1], data, headers)
print(urllib.request.urlopen(request, timeout=30).read().decode())
"""
# Prints the status of a dashboard's page, of its data without the token, and with it.
STATUS = """
import os, sys, urllib.error, urllib.request
token = open(os.path.expanduser("~/.ray/auth_token")).read().strip()
page, data = sys.argv[1], sys.argv[1] + "/api/cluster_status"
for url, headers in ((page, {}), (data, {}), (data, {"Authorization": "Bearer " + token})):
    try:
        print(urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""


def listening(host: Host) -> set[int]:
    """The TCP ports on which something listens on a machine, on whichever of its addresses."""
    sockets = host.run("ss --no-header --listening --tcp --numeric").stdout
    return {int(line.split()[3].rpartition(":")[2]) for line in sockets.splitlines()}


def reached(host: Host, seen_from: Host) -> set[int]:
    """Those of them that let another machine connect."""
    ports = " ".join(map(str, sorted(listening(host))))
    ended = seen_from.run(f"python -c {shlex.quote(_CONNECT)} {host.address} {ports}", timeout=120)
    assert ended.returncode == 0, ended.stdout
    return set(map(int, ended.stdout.split()))
