"""SQL of exact amounts: from text to a decimal and back.

Belongs here: casts that stay fast for ordinary amounts. Does not: what is an amount (casts.py, x12/cells.py).
"""


def decimal(text: str, digits: int, decimals: int) -> str:
    """The cast. DuckDB reads decimals of more than 18 digits 150 times slower, and hardly any value needs them."""
    if digits <= 18:
        return f"try_cast({text} as decimal({digits}, {decimals}))"
    whole = 18 - decimals
    return (
        f"case when regexp_full_match({text}, '-?\\d{{1,{whole}}}(\\.\\d*)?') "
        f"then cast(try_cast({text} as decimal(18, {decimals})) as decimal({digits}, {decimals})) "
        f"when regexp_full_match({text}, '-?\\d{{1,16}}(\\.\\d{{0,2}}0*)?') "
        f"then cast(try_cast({text} as decimal(18, 2)) as decimal({digits}, {decimals})) "
        f"else try_cast({text} as decimal({digits}, {decimals})) end"
    )


def amount_text(amount: str) -> str:
    """An exact amount as text. Few have more than two decimals, and DuckDB writes wide decimals slowly."""
    short = f"try_cast({amount} as decimal(18, 2))"
    return f"case when {amount} = {short} then cast({short} as varchar) else cast({amount} as varchar) end"
