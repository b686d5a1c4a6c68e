"""Latency: how fast artifacts are, side by side, in interleaved rounds, until it holds when repeated.

The order of the rounds is decided in the parent (`bench`), the clock runs in a worker for each backend
(`sessions`), and what the rounds amount to is `verdict`."""
