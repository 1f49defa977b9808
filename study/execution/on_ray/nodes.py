"""Whether a worker died alone or with its whole machine, which is not held against its trial."""

import socket
from typing import Any

CONNECT_S = 2.0


def node_is_gone(error: Exception | None, node: str) -> bool:
    """Whether the worker that died of `error` died because its machine, or Ray on it, did.

    Ray takes a node for dead when several health checks have failed, long after the worker's own death has been
    noticed: until then only its raylet, which does not answer any more, gives it away.

    Args:
        node: Id of the node, "" if the worker never came to say it.
    """
    if "node has died" in str(error) or "node was terminated" in str(error).lower():
        return True
    import ray

    node = node or _node_of(getattr(error, "actor_id", None))
    return any(there["NodeID"] == node and not (there["Alive"] and _answers(there)) for there in ray.nodes())


def _node_of(actor: str | None) -> str:
    """The node of an actor, dead or alive; "" if Ray does not know."""
    if actor is None:
        return ""
    from ray._private.state import actors

    found: dict[str, Any] = actors(actor)
    return str(found.get("Address", {}).get("NodeID", ""))


def _answers(node: dict[str, Any]) -> bool:
    try:
        socket.create_connection((node["NodeManagerAddress"], node["NodeManagerPort"]), timeout=CONNECT_S).close()
    except OSError:
        return False
    return True
