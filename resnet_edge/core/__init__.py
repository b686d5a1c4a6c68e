"""The floor that everything stands on: values, errors, registry, workers.

Nothing here imports a framework, and nothing here imports a stage or a room.
"""
