"""Reads landed files into typed Parquet and says what it could not read.

Belongs here: contracts, layouts, SQL that casts and rejects, counts of rows and dollars.
Does not: Dagster, how a token is made (privacy/ hands that in), anything that knows two feeds at once (dbt).
"""
