"""resnet-edge against the tools that its users would take otherwise."""
