"""A real Ray cluster of two nodes on this machine, in a process of its own: it prints the address and the
port of Ray Client, loses its second node for `lose`, has one more for `add`, and ends with its stdin. With
`idle-head`, its first node runs nothing."""

from __future__ import annotations

import socket
import sys

from ray.cluster_utils import Cluster

OBJECTS = 150 << 20
"""Bytes of each node's store."""


def main() -> None:
    node = {"num_cpus": 1, "object_store_memory": OBJECTS}
    head = {**node, "include_dashboard": False, "num_cpus": 0 if "idle-head" in sys.argv else 1}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        head["ray_client_server_port"] = client = free.getsockname()[1]
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(**node)]
    cluster.wait_for_nodes()
    sys.stdout.write(f"{cluster.address} {client}\n")
    sys.stdout.flush()
    for order in sys.stdin:
        if order.strip() == "lose":
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        else:
            nodes.append(cluster.add_node(**node))
        sys.stdout.write(f"{order.strip()}: done\n")
        sys.stdout.flush()
    cluster.shutdown()


if __name__ == "__main__":
    main()
