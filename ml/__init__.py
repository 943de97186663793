"""Models on the marts: denials, opportunity scores, savings experiments. Empty until its time comes.

Will hold: feature declarations, training, evaluation, registry. Will not: SQL that builds features (dbt_project/), Dagster.
"""
