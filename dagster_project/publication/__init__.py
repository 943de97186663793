"""Replaces what analysts read, in whole and at once: marts.duckdb, Delta tables and a manifest behind one link.

Belongs here: copying the marts out of the warehouse, their checksums, the swap, the check of what was published.
Does not: deciding whether to publish (blocking checks do), Dagster, building marts (dbt).
"""
