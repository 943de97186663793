{{ config(severity='warn') }}

-- Charge less adjustments is what was paid, line by line of a decision (835: SVC02 − ΣCAS = SVC03). A sender's own slips are
-- kept, counted and shown in mart_remittance_balance; more than one line in a hundred is told. It holds nothing back: one wrong
-- line of one small payer would keep everybody's marts from being published, and rows and dollars are counted twice as it is.
select
    data_source,
    count(*) as line_count,
    count(*) filter (where charge_amount - adjustment_amount <> paid_amount) as unbalanced_count
from {{ ref('int_claim__adjudication_lines') }}
where reason_count is not null and charge_amount is not null
group by data_source
having count(*) filter (where charge_amount - adjustment_amount <> paid_amount) > 0.01 * count(*)
