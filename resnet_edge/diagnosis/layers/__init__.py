"""Layers of an artifact, each held against the reference on what that layer itself reads.

    artifact ──► steps, values of every tensor ──┐
                                                 ├─► matching ─► replay ─► departures ─► search ─► findings
    float graph of the reference ─► steps ───────┘                  ▲
                                             rounding (what the artifact's number types allow)

Tensors of both are matched by their values. The float graph is cut at every matched tensor and fed with what
the artifact has there, so that each section computes with the reference's float weights on the artifact's own
inputs. What the artifact gives instead may differ by what its declared number types round, and by no more.
How a file writes a computation (folded, unfolded, padded, scaled, in another layout) does not matter.
docs/layers.md explains the method.
"""
