"""What to pay each provider for each procedure: fair, legal, affordable, explained.

Holds: the typed question (instance), its JSON forms, the Pyomo model and its fast arrays, solving, and the check that knows
no model. Does not: the warehouse's files and marts, Dagster; a frame of pairs is handed in, an answer is handed out.
"""
