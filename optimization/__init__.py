"""Prices and work lists by optimization. Empty until its time comes.

Will hold: `pricing/` (scenario, Pyomo model, results) and `worklist/`. Will not: reading raw files, Dagster.
"""
