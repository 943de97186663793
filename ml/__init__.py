"""Models on the marts: plain functions over frames.

Holds `opportunity/` (what hospitals are paid for a DRG); denials and savings experiments will come. Does not: SQL that builds
features (dbt_project/), Dagster.
"""
