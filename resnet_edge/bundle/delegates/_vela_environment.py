"""The environment that Vela has to itself: it is a compiler of the vendor's, and brings pins of its own."""

from __future__ import annotations

import sys

from resnet_edge.workers.own_environment import OwnEnvironment

PINS = ("ethos-u-vela==5.2.0", "flatbuffers==25.12.19", "numpy==2.4.6")
"""That is tested; flatbuffers and numpy are what it was tested with."""
ENVIRONMENT = OwnEnvironment(
    name="vela",
    title="Vela",
    distribution="ethos-u-vela",
    variable="RESNET_EDGE_VELA",
    requirements=" ".join(PINS),
)


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(ENVIRONMENT.install_command() + "\n")
