"""The frontier of accuracy, latency and size over what `prune`, `qat` and `convert` can do to a model.

    study worker (Optuna)          this process                          other workers
    ask ─► configuration ─► cost: size, latency ─► fine-tuning ─► few images ─► 1,000 ─► all
    tell ◄─────────────────── what left, and why ◄──────────┘
    then: what stays is converted, proved, and measured on images that no trial saw

What a trial shares with another, a network or a calibration, is made once (`store`). Optuna is imported in
`study` alone, in a worker.
"""
