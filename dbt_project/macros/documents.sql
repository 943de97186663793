{# The key by which a warehouse amount and a ledger posting name the same document; NULL where a posting names none.
   A claim is booked once when it is sent and taken back once when it is replaced, which the part (charge, reversal) tells. #}
{% macro document_key(document_type, part, claim, line, number, remittance, transaction, batch=none) -%}
    case {{ document_type }}
        when 'claim' then 'claim|' || {{ claim }} || '|' || {{ part }}
        when 'remittance' then
            case
                when {{ claim }} is not null
                    then 'remittance|' || {{ claim }} || '|' || {{ text(number) }} || '|' || {{ remittance }}
                else 'whole remittance|' || {{ remittance }}
            end
        when 'provider_adjustment' then 'provider_adjustment|' || {{ remittance }} || '|' || {{ text(number) }}
        when 'transaction' then 'transaction|' || {{ transaction }}
        when 'fill' then 'fill|' || {{ claim }} || '|' || {{ text(line) }} || '|' || {{ text(number) }}
        {%- if batch is not none %}
        when 'batch' then 'whole batch|' || {{ batch }}
        {%- endif %}
    end
{%- endmacro %}

{# Where a document stands in the books, but for its month. #}
{% macro document_columns() %}
    {{ return(['data_source', 'document_key', 'entity_code', 'payer_id', 'line_of_business', 'account_code']) }}
{% endmacro %}

{% macro document_hash(alias) -%}
    {{ row_hash(document_columns(), alias) }}
{%- endmacro %}

{# Why warehouse and ledger part, in the order of a statement: ordinary ones, faults, the rest. #}
{% macro ledger_causes() %}
    {{ return(['posted_in_another_month', 'reversal', 'recoupment', 'missing_load', 'duplicate_posting', 'wrong_account',
               'unexplained']) }}
{% endmacro %}
