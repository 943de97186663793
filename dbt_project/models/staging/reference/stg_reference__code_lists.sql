select code_list, code, effective_from, effective_to from {{ ref('code_list_entries') }}
union all
select code_list, code, effective_from, effective_to from {{ ref('hcpcs_level_2_codes') }}
union all
select 'icd-10-cm', code, cast(effective_from as date), cast(effective_to as date) from {{ reference_list('icd10cm_codes') }}
union all
select 'icd-10-pcs', code, cast(effective_from as date), cast(effective_to as date) from {{ reference_list('icd10pcs_codes') }}
