{# Money that moves: exact, two decimals. Sums widen on some engines and are brought back here. #}
{% macro usd(expression) -%}
    cast({{ expression }} as decimal(18, 2))
{%- endmacro %}

{% macro text(expression) -%}
    cast({{ expression }} as {{ dbt.type_string() }})
{%- endmacro %}

{# An amount divided, exactly, in cents, half a cent away from zero; NULL where the divisor is zero or unknown. Both engines
   would divide as floats or to other decimals, so whole numbers are divided: the divisor counts as many decimals as said. #}
{% macro usd_each(amount, divisor, decimals=0) -%}
    {{ return(adapter.dispatch('usd_each')(amount, divisor, decimals)) }}
{%- endmacro %}

{% macro default__usd_each(amount, divisor, decimals) -%}
    {%- set cents = 'cast(abs(cast(' ~ amount ~ ' as decimal(28, 2))) * 100 as hugeint) * ' ~ 10 ** decimals -%}
    {%- set parts = 'cast(cast(' ~ divisor ~ ' as decimal(28, ' ~ decimals ~ ')) * ' ~ 10 ** decimals ~ ' as hugeint)' -%}
    cast(sign({{ amount }}) * ((2 * {{ cents }} + {{ parts }}) // nullif(2 * {{ parts }}, 0)) as decimal(18, 0)) * cast(0.01 as decimal(3, 2))
{%- endmacro %}

{% macro spark__usd_each(amount, divisor, decimals) -%}
    {%- set cents = 'cast(abs(' ~ amount ~ ') * 100 as decimal(24, 0)) * ' ~ 10 ** decimals -%}
    {%- set parts = 'cast(cast(' ~ divisor ~ ' as decimal(28, ' ~ decimals ~ ')) * ' ~ 10 ** decimals ~ ' as decimal(24, 0))' -%}
    cast(sign({{ amount }}) * ((2 * {{ cents }} + {{ parts }}) div nullif(2 * {{ parts }}, 0)) as decimal(18, 0)) * cast(0.01 as decimal(3, 2))
{%- endmacro %}
