"""Prices and work lists by optimization: plain libraries over plain data.

Holds `pricing/` (a question, its model, answers and their check); `worklist/` will come. Does not: reading raw files, Dagster.
"""
