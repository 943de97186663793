-- What became of each load's staged rows in the marts: kept by a table that has a row for a row (counted there, so that a
-- join which drops or doubles rows shows), or left out under a name. An average as published is summed only to show that
-- every row arrived.
{%- set kept = [
    {'feed': 'medical_claim', 'table': 'mart_claim_encounter_match', 'amount': 'charge_amount', 'rows': none},
    {'feed': 'medical_claim_line', 'table': 'fct_claim_line', 'amount': 'charge_amount', 'rows': "has_line_record"},
    {'feed': 'remittance_advice', 'table': 'fct_remittance', 'amount': 'paid_amount', 'rows': "has_advice"},
    {'feed': 'remittance', 'table': 'int_claim__adjudication_lines', 'amount': 'paid_amount', 'rows': none},
    {'feed': 'remittance_adjustment', 'table': 'int_claim__adjudication_reasons', 'amount': 'adjustment_amount', 'rows': none},
    {'feed': 'provider_adjustment', 'table': 'fct_provider_adjustment', 'amount': 'adjustment_amount', 'rows': none},
    {'feed': 'patient_accounting', 'table': 'fct_claim_event', 'amount': 'adjustment_amount', 'rows': "event_order = 60"},
    {'feed': 'pharmacy_fill', 'table': 'fct_pharmacy_fill', 'amount': 'paid_amount', 'rows': none},
    {'feed': 'ledger_posting', 'table': 'int_finance__ledger_amounts', 'amount': 'amount', 'rows': none},
    {'feed': 'encounter', 'table': 'fct_encounter', 'amount': 'charge_amount', 'rows': "encounter_basis = 'record'"},
    {'feed': 'ipps_provider_drg', 'table': 'fct_ipps_payment', 'amount': 'average_medicare_payment_amount', 'rows': "geography_level = 'provider'"},
    {'feed': 'ipps_geography_drg', 'table': 'fct_ipps_payment', 'amount': 'average_medicare_payment_amount', 'rows': "geography_level <> 'provider'"},
    {'feed': 'member', 'table': 'dim_member', 'amount': none, 'rows': "has_member_record"},
    {'feed': 'payer', 'table': 'dim_payer', 'amount': none, 'rows': "has_payer_record"},
    {'feed': 'provider', 'table': 'dim_provider', 'amount': none, 'rows': "has_provider_record"},
] %}

{%- for one in kept %}
select
    '{{ one.feed }}' as feed,
    load_id,
    cast(null as {{ dbt.type_string() }}) as exclusion,
    count(*) as row_count,
    {{ 'cast(coalesce(sum(' ~ one.amount ~ '), 0) as decimal(38, 10))' if one.amount else 'cast(null as decimal(38, 10))' }} as amount
from {{ ref(one.table) }}
{%- if one.rows %}
where {{ one.rows }}
{%- endif %}
group by load_id

union all
{% endfor %}
select
    'patient_accounting', load_id, 'names_no_claim', count(*), cast(coalesce(sum(transaction_amount), 0) as decimal(38, 10))
from {{ ref('stg_patient_accounting__transactions') }}
where claim_token is null
group by load_id

union all

select
    staged.feed, staged.load_id, uses.mart_use, staged.rows_staged, staged.amount_staged
from {{ ref('int_lake__staged_counts') }} as staged
inner join {{ ref('feed_uses') }} as uses on staged.feed = uses.feed
where uses.mart_use <> 'row'
