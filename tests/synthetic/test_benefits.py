"""Plans apply: copay, then deductible, then coinsurance, never more than the maximum of a person or family."""

from __future__ import annotations


def test_nobody_pays_more_than_the_maximum_when_a_year_is_added_up(invented):
    over = """select count(*) from (select {who}, plan_id, benefit_year, sum(allowed - paid) as patient,
        sum(deductible) as deducted
              from w_share group by all) s join w_benefit b using (plan_id, benefit_year)
              where patient > {times} * out_of_pocket or deducted > {times} * b.deductible"""
    assert invented.one(over.format(who="m", times=1)) == 0
    assert invented.one(over.format(who="subscriber", times=2)) == 0


def test_a_maximum_is_reached_when_someone_is_very_ill(invented):
    reached = invented.one("""select count(*) from (select m, plan_id, benefit_year, sum(allowed - paid) as patient
        from w_share group by all)
                              join w_benefit using (plan_id, benefit_year) where patient = out_of_pocket
                                  and out_of_pocket > 1000""")
    assert reached > 20


def test_the_deductible_comes_before_coinsurance_when_a_line_is_shared(invented):
    # coinsurance is a share of what copay and deductible leave, except where the year's maximum cut it
    wrong = invented.one("""
        select count(*) from w_share s join w_benefit b using (plan_id, benefit_year)
        where line > 0 and s.coinsurance > round((allowed - copay - s.deductible) * b.coinsurance, 2)""")
    assert wrong == 0
    # coinsurance on a line that neither completes the deductible nor follows its completion would come too early
    early = invented.one("""
        select count(*) from (
            select *, sum(deductible) over (partition by m, plan_id, benefit_year order by decided, key, adjudication,
                line) as met from w_share) s
        join w_benefit b using (plan_id, benefit_year)
        where s.coinsurance > 0 and met < b.deductible and not exists (
            from w_share f where f.subscriber = s.subscriber and f.m <> s.m and f.plan_id = s.plan_id
                and f.benefit_year = s.benefit_year)""")
    assert early == 0


def test_a_visit_and_a_fill_cost_the_plans_copay_when_no_maximum_is_reached(invented):
    office, fill = invented.rows("""
        select avg((s.copay = least(b.copay_office, allowed))::integer) filter (line = 1 and c.kind in (1, 2, 3)
                   and copay_office > 0),
               avg((s.copay = least(b.copay_pharmacy, allowed))::integer) filter (line = 0 and copay_pharmacy > 0)
        from w_share s join w_benefit b using (plan_id, benefit_year)
        left join w_claim c on c.ck = s.key""")[0]
    assert office > 0.96
    assert fill > 0.96


def test_the_deductible_bites_early_when_the_year_is_young(invented):
    january, november = invented.rows("""
        select avg(deducted) filter (mon = 1), avg(deducted) filter (mon = 11) from (
            select month(medical_claim.claim_start_date) as mon, sum(deductible_amount) / sum(allowed_amount) as deducted
                from remittance
            join medical_claim using (claim_id) where claim_status_code = '1' and allowed_amount > 0 group by 1,
                year(medical_claim.claim_start_date))""")[0]
    assert january > 1.5 * november


def test_the_plans_of_the_feed_are_the_ones_applied_when_years_differ(invented):
    assert (
        invented.one("""select count(*) from (select plan_id from benefit_plan group by 1
                           having count(distinct effective_from_date) < 2)""")
        == 0
    )
    assert (
        invented.one("""select count(*) from benefit_plan p join w_benefit b on b.plan_id = p.plan_id
        and b.benefit_year = year(effective_from_date)
                           where individual_deductible_amount <> deductible
                               or family_deductible_amount <> 2 * deductible""")
        == 0
    )
