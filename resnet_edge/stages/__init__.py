"""The steps of the job: plain functions, values in and values out.

A module here either runs in the parent and imports no framework (it calls workers), or runs
in a worker and says so in its first line.
"""
