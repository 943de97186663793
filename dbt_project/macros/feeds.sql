{# Key and amount of each feed as its row in the lake has them; the contracts are their origin and a test compares.
   `payers` is of claims, which their biller may send to several payers under one number: repeated_rows says whose a claim is, and
   which rows are no repetition, but a submission to another payer. #}
{% macro feeds() %}
    {{ return({
        'authorization': {'key': ['authorization_token'], 'amount': none},
        'benefit_plan': {'key': ['plan_id', 'effective_from_date'], 'amount': none},
        'claim_acknowledgement': {'key': ['claim_token', 'acknowledgement_id', 'acknowledgement_number'], 'amount': 'charge_amount'},
        'contracted_rate': {'key': ['payer_id', 'billing_id', 'claim_type', 'billing_code_type', 'billing_code', 'billing_code_modifier', 'effective_from_date'], 'amount': none},
        'drg_weight': {'key': ['fiscal_year', 'drg_code'], 'amount': none},
        'eligibility': {'key': ['member_token', 'plan_id', 'coverage_rank', 'enrollment_start_date'], 'amount': none},
        'eligibility_benefit': {'key': ['reply_token', 'member_token', 'benefit_number'], 'amount': 'benefit_amount'},
        'encounter': {'key': ['encounter_token'], 'amount': 'charge_amount'},
        'encounter_diagnosis': {'key': ['encounter_token', 'diagnosis_code_type', 'diagnosis_code', 'recorded_date'], 'amount': none},
        'encounter_procedure': {'key': ['encounter_token', 'procedure_number', 'procedure_code', 'procedure_date'], 'amount': 'charge_amount'},
        'hospital': {'key': ['ccn'], 'amount': none},
        'hospital_medicare_year': {'key': ['period_year', 'ccn'], 'amount': 'total_medicare_payment_amount'},
        'hospital_readmission': {'key': ['ccn', 'measure_code', 'measure_start_date'], 'amount': none},
        'ipps_geography_drg': {'key': ['period_year', 'geography_level', 'geography_code', 'drg_code'], 'amount': 'average_medicare_payment_amount'},
        'ipps_provider_drg': {'key': ['period_year', 'ccn', 'drg_code'], 'amount': 'average_medicare_payment_amount'},
        'ledger_posting': {'key': ['posting_id'], 'amount': 'posting_amount'},
        'medical_claim': {'key': ['claim_token'], 'amount': 'charge_amount', 'payers': true},
        'medical_claim_line': {'key': ['claim_token', 'claim_line_number'], 'amount': 'charge_amount'},
        'member': {'key': ['member_token'], 'amount': none},
        'member_crosswalk': {'key': ['medical_record_token'], 'amount': none},
        'member_year_amount': {'key': ['member_token', 'amount_year', 'benefit'], 'amount': 'paid_amount'},
        'patient_accounting': {'key': ['transaction_token'], 'amount': 'transaction_amount'},
        'payer': {'key': ['payer_id'], 'amount': none},
        'pharmacy_fill': {'key': ['claim_token', 'claim_line_number', 'adjudication_number'], 'amount': 'paid_amount'},
        'provider': {'key': ['provider_id'], 'amount': none},
        'provider_adjustment': {'key': ['remittance_id', 'payer_id', 'adjustment_number'], 'amount': 'adjustment_amount'},
        'remittance': {'key': ['claim_token', 'claim_line_number', 'adjudication_number', 'remittance_id'], 'amount': 'paid_amount'},
        'remittance_adjustment': {'key': ['claim_token', 'claim_line_number', 'adjudication_number', 'adjustment_number', 'remittance_id'], 'amount': 'adjustment_amount'},
        'remittance_advice': {'key': ['remittance_id', 'payer_id'], 'amount': 'paid_amount'},
        'scheduled_service': {'key': ['scheduled_service_token'], 'amount': 'estimated_charge_amount'},
        'transaction_acknowledgement': {'key': ['acknowledgement_id', 'group_control_number', 'transaction_number'], 'amount': none},
        'work_record': {'key': ['work_record_token'], 'amount': 'cost_amount'},
    }) }}
{% endmacro %}

{# Feeds whose rows have an amount, as a list of SQL. #}
{% macro money_feeds() -%}
    {%- set names = [] -%}
    {%- for feed, rules in feeds().items() -%}{%- if rules.amount -%}{%- do names.append("'" ~ feed ~ "'") -%}{%- endif -%}{%- endfor -%}
    {{- names | join(', ') -}}
{%- endmacro %}
