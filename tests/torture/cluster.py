"""A Ray that outlives the drivers that use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

QUIET = {"include_dashboard": False, "object_store_memory": 100_000_000, "node_ip_address": "127.0.0.1"}


@contextmanager
def shared_ray(cpus: int = 2) -> Iterator[str]:
    """The address of a Ray with one node."""
    with cluster(cpus) as found:
        yield found.address


@contextmanager
def cluster(cpus: int) -> Iterator[Any]:
    """A `ray.cluster_utils.Cluster` with a head; more nodes can be added, and removed without warning."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": cpus, **QUIET})
    try:
        yield found
    finally:
        found.shutdown()
