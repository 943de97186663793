"""Definitions only: assets, checks, jobs, schedules, sensors. A body is load, call a library, write, return counts.

Belongs here: what is in the graph, one folder per part of the flow. Does not: work (the libraries do it).
Assets of another folder are named by key and never imported.
"""
