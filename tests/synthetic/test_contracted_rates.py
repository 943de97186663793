"""The contracts of the invented world say what its lines are priced by."""

from __future__ import annotations

PRICED = """
    select l.expected_amount as stated, round(l.service_unit_quantity * r.unit_amount, 2) as agreed, k.payer_id = k.cover_payer
        as is_covering_payers
    from medical_claim_line l
    join medical_claim c using (claim_id)
    join w_claim k on key_code('CLM', k.ck) = claim_id
    left join contracted_rate r on r.payer_id = c.payer_id and r.billing_id = c.billing_id and r.claim_type = c.claim_type
        and r.billing_code = coalesce(l.hcpcs_code, l.revenue_center_code) and r.billing_code_type = case
            when l.hcpcs_code is null then 'revenue_code' else 'hcpcs' end
        and r.billing_code_modifier = case when l.hcpcs_modifier_1 = '26' then '26' else 'ANY' end
        and l.claim_line_start_date between r.effective_from_date and r.effective_to_date
    where c.coverage_rank = 'primary'"""


def test_a_line_costs_its_units_by_its_contracts_rate_when_its_payer_is_billed(invented):
    lines, priced, differing = (
        invented.rows(f"""select count(*), count(agreed), count(*) filter (where agreed <> stated)
        from ({PRICED}) where is_covering_payers""")[0]
    )
    assert priced > 0.4 * lines > 10_000
    assert differing == 0


def test_nothing_is_agreed_when_the_provider_is_out_of_network(invented):
    assert (
        invented.one("""select count(*) from contracted_rate r join w_provider p on p.provider_id = r.billing_id
        join w_contract c on c.org = p.org and c.payer_id = r.payer_id where c.is_out_of_network""")
        == 0
    )
    assert invented.one("select count(*) from w_contract where is_out_of_network") > 0
