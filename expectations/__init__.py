"""Judges each load as a whole, and keeps the result of every check.

Belongs here: what a load is measured by, the suite made from a contract, verdicts, who accepted what, the calendar of
expected files. Does not: Dagster, single rows (the reader sets those aside), rules between tables (dbt).
"""
