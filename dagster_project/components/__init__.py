"""How a dbt project becomes Dagster assets.

Belongs here: the translator from dbt's names to ours, and the factory of dbt assets.
Does not: which selections exist (defs/transformation), how dbt is called (resources/).
"""
