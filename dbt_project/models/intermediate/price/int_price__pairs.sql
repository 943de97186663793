{{ config(materialized='view') }}

-- What a pricing scenario chooses from, wherever it comes from.
select * from {{ ref('int_price__claim_pairs') }}
union all
select * from {{ ref('int_price__ipps_pairs') }}
