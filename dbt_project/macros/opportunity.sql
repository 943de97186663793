{# What the marts of DRG payment share: parameters out of their seed, the sentence that each of them carries, periods, tails. #}

{% macro drg_parameter(name) -%}
    (select max(parameter_value) from {{ ref('drg_parameters') }} where parameter = '{{ name }}')
{%- endmacro %}

{# A column of every output on DRG payment. A gap is a difference between averages: wages, teaching, case mix and chance
   make them, and only a record can tell whether one was coded as it was documented. #}
{% macro drg_notice() -%}
    'Nothing here says that billing was improper.'
{%- endmacro %}

{# First day of the period of a CMS file: fiscal years begin in October of the year before. Rules are looked up by it. #}
{% macro period_start(period_type, period_year) -%}
    cast(case
        when {{ period_type }} = 'fy' then cast({{ period_year }} - 1 as {{ dbt.type_string() }}) || '-10-01'
        else cast({{ period_year }} as {{ dbt.type_string() }}) || '-01-01'
    end as date)
{%- endmacro %}

{% macro in_force(rules, day) -%}
    {{ day }} >= {{ rules }}.effective_from and ({{ rules }}.effective_to is null or {{ day }} <= {{ rules }}.effective_to)
{%- endmacro %}

{# How likely a normal deviate is as far from zero as z, either way. Relative error below 1.2e-7 however far out (Numerical
   Recipes 6.2, erfcc): among a hundred thousand tests it is the far tails that decide. #}
{% macro normal_two_sided(z) -%}
    {%- set t = '(1.0e0 / (1.0e0 + 0.5e0 * abs(' ~ z ~ ') / sqrt(2.0e0)))' -%}
    {%- set terms = ['-1.26551223e0', '1.00002368e0', '0.37409196e0', '0.09678418e0', '-0.18628806e0', '0.27886807e0',
                     '-1.13520398e0', '1.48851587e0', '-0.82215223e0', '0.17087277e0'] -%}
    {%- set polynomial = namespace(text=terms[-1]) -%}
    {%- for term in terms[:-1] | reverse -%}
        {%- set polynomial.text = '(' ~ term ~ ' + ' ~ t ~ ' * ' ~ polynomial.text ~ ')' -%}
    {%- endfor -%}
    ({{ t }} * exp(-0.5e0 * {{ z }} * {{ z }} + {{ polynomial.text }}))
{%- endmacro %}

{# An amount with ten decimals as a whole number of its last decimal: products of two such would not fit a decimal. #}
{% macro ten_decimals_whole(amount) -%}
    {{ return(adapter.dispatch('ten_decimals_whole')(amount)) }}
{%- endmacro %}

{% macro default__ten_decimals_whole(amount) -%}
    cast(cast({{ amount }} as decimal(28, 10)) * cast(10000000000 as decimal(11, 0)) as hugeint)
{%- endmacro %}

{% macro spark__ten_decimals_whole(amount) -%}
    cast(cast({{ amount }} as decimal(24, 10)) * cast(10000000000 as decimal(11, 0)) as decimal(38, 0))
{%- endmacro %}

{# (amount ÷ divisor), both exact, to ten decimals, half away from zero; NULL where the divisor is zero. `amount` counts in
   units of the tenth decimal. #}
{% macro ten_decimals_each(amount, divisor) -%}
    {{ return(adapter.dispatch('ten_decimals_each')(amount, divisor)) }}
{%- endmacro %}

{% macro default__ten_decimals_each(amount, divisor) -%}
    cast(cast(sign({{ amount }}) * ((2 * abs({{ amount }}) + {{ divisor }}) // nullif(2 * cast({{ divisor }} as hugeint), 0)) as decimal(28, 0))
        * cast(0.0000000001 as decimal(10, 10)) as decimal(28, 10))
{%- endmacro %}

{% macro spark__ten_decimals_each(amount, divisor) -%}
    cast(cast(sign({{ amount }}) * ((2 * abs({{ amount }}) + {{ divisor }}) div nullif(2 * {{ divisor }}, 0)) as decimal(28, 0))
        * cast(0.0000000001 as decimal(10, 10)) as decimal(28, 10))
{%- endmacro %}

{# Two relations' rows of one source, period and comparison group. #}
{% macro same_pool(one, other) -%}
    {{ one }}.data_source = {{ other }}.data_source and {{ one }}.period_type = {{ other }}.period_type
    and {{ one }}.fiscal_year = {{ other }}.fiscal_year and {{ one }}.comparison_group = {{ other }}.comparison_group
{%- endmacro %}

{# Sum of floating-point terms that is the same in whatever order they are added: each is taken to so many decimals first.
   Marts are compared row by row after a build that died and one that did not. #}
{% macro steady_sum(term, decimals=10) -%}
    cast({{ steady_total(term, decimals) }} as double)
{%- endmacro %}

{# The same as a decimal, for sums of sums. #}
{% macro steady_total(term, decimals=10) -%}
    sum(cast({{ term }} as decimal(38, {{ decimals }})))
{%- endmacro %}

{% macro steady_sum_over(term, window) -%}
    cast(sum(cast({{ term }} as decimal(38, 10))) over {{ window }} as double)
{%- endmacro %}

{% macro steady_mean(term, decimals=10) -%}
    ({{ steady_sum(term, decimals) }} / nullif(count({{ term }}), 0))
{%- endmacro %}

{# Slope and intercept of the least-squares line of y on x over a group, of such sums. #}
{% macro steady_slope(y, x) -%}
    ((count(*) * {{ steady_sum('(' ~ x ~ ') * (' ~ y ~ ')', 18) }} - {{ steady_sum(x, 18) }} * {{ steady_sum(y, 18) }})
        / nullif(count(*) * {{ steady_sum('(' ~ x ~ ') * (' ~ x ~ ')', 18) }} - {{ steady_sum(x, 18) }} * {{ steady_sum(x, 18) }}, 0))
{%- endmacro %}

{% macro steady_intercept(y, x) -%}
    (({{ steady_sum(y, 18) }} - {{ steady_slope(y, x) }} * {{ steady_sum(x, 18) }}) / count(*))
{%- endmacro %}
