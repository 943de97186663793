"""Brings optimization/pricing together with this house: scenarios in its folders, pairs of its marts, answers in its lake.

Belongs here: which scenarios there are, asking the warehouse for their pairs, the steps from a scenario to its answer and what is
kept of them, rows for the lake. Does not: what a scenario means, the model, the check, reports (optimization/pricing); Dagster
(defs/pricing, resources/pricing).
"""
