"""What limits a proof on a cluster: costs measured on a Ray of two nodes, and larger ones simulated with
them."""

from benchmarks.scale.tables import table

__all__ = ["table"]
