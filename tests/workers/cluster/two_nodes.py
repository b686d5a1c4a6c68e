"""A real Ray cluster of two nodes on this machine, in a process of its own: it prints the address, loses its
second node for `lose`, and ends with its stdin."""

from __future__ import annotations

import sys

from ray.cluster_utils import Cluster

OBJECTS = 150 << 20
"""Bytes of each node's store."""


def main() -> None:
    node = {"num_cpus": 1, "object_store_memory": OBJECTS}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    second = cluster.add_node(**node)
    cluster.wait_for_nodes()
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    for order in sys.stdin:
        if order.strip() == "lose":
            cluster.remove_node(second, allow_graceful=False)
            sys.stdout.write("lost\n")
            sys.stdout.flush()
    cluster.shutdown()


if __name__ == "__main__":
    main()
