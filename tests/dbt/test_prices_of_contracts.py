"""What payers agreed to pay, held against what the demonstration's claims state."""

from __future__ import annotations

import duckdb


def test_the_demonstrations_contracts_price_its_lines_as_the_claims_state(marts: duckdb.DuckDBPyConnection) -> None:
    lines, stated, contracted, unpriced, compared, differing = (
        marts.execute("""
        select sum(line_count), sum(stated_line_count), sum(contracted_line_count), sum(unpriced_line_count),
            sum(compared_line_count), sum(differing_line_count)
        from mart_contract_price where data_source = 'demo'""").fetchone()
        or (0,) * 6
    )
    assert stated == lines > 1000 and unpriced == 0
    assert compared == contracted > 0.9 * lines, "out of network, and two prices of a code on one day, have none"
    assert differing == 0


def test_an_underpayment_is_one_by_the_contract_too_where_it_has_a_price(marts: duckdb.DuckDBPyConnection) -> None:
    """So that the same world sent as X12, which states no price, finds it as well."""
    found, by_contract, otherwise = (
        marts.execute("""
        select count(*), count(contracted_amount), count(*) filter (where contracted_amount <> expected_amount)
        from mart_underpayment where data_source = 'demo'""").fetchone()
        or (0,) * 3
    )
    assert by_contract > 0.9 * found > 10
    assert otherwise == 0
