"""What a hospital would be paid for a DRG, and how many of a family's stays would be severe, judged by its attributes alone.

Belongs here: which features are read, the models, how they are judged, the back test of earlier opportunities, plots.
Does not: SQL of features (dbt_project/), reading or writing of files, Dagster, words for people (drg_pages).

Everything is computed in floating point: estimates, not money that moves. Where a result goes back into the warehouse it
is rounded to cents and is a decimal from there on (dagster_project/resources/opportunity.py).

Nothing in here says that a hospital billed improperly: an estimate from attributes does not know wages, teaching or beds.
"""
