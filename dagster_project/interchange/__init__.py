"""Writes rows of the feeds as X12 5010: claims (837P, 837I) and remittances (835).

Belongs here: which column becomes which segment, envelopes and their counts, a claim of the lake written again. Does not:
reading (sources/x12/), inventing rows (synthetic/). Rows are relations of DuckDB, and segments are made by its SQL.
"""
