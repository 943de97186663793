"""The steps of every scenario by name, in order, with a sentence for whoever looks at the graph.

Belongs here: names and words, which the graph is made of before anything is solved. Does not: the steps (steps.py), which import
solvers.
"""

STAGES: tuple[tuple[str, str], ...] = (
    (
        "inputs",
        "The pairs of provider and procedure that a scenario asks for: volumes, prices of today, benchmarks, region.",
    ),
    (
        "instance",
        "The question of a scenario: its pairs with the bands of their tiers, and every rule as a row with an id.",
    ),
    ("solution", "The best price list found for a scenario, with its bound and gap, in whole cents."),
    ("verdict", "Every rule of a scenario asked of its price list, in decimals, by code that knows no model."),
    ("report", "What a scenario's rules cost, how far savings go, its report for people, and its rows in the lake."),
)
