"""The generator's X12 says what its flat files say, and keeps the standard's own counts and balances."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from pyx12.params import params
from pyx12.x12n_document import x12n_document

from dagster_project.interchange.again import claims_as_837
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import LoadAudit, load_feed, prepare_lake, take_inventory
from dagster_project.synthetic import files, ledger, world
from dagster_project.synthetic.x12 import CLAIM_FEEDS, FOLDER, PAYMENT_FEEDS, UNSAID, X12_FEEDS, leave_unsaid
from tests.sources.x12.lake import KEY, OF_FILES

MEMBERS, MONTHS = 60, 8


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One world without what X12 has no place for, once as flat files and once as X12."""
    folder = tmp_path_factory.mktemp("both")
    homes = {"flat": folder / "flat", "x12": folder / "x12"}
    with duckdb.connect() as con:
        start, end = world.build_world(con, MEMBERS, 7, MONTHS)
        leave_unsaid(con)
        withheld = ledger.build_ledger(con, 7)
        leave_unsaid(con, of_books=True)
        for name, home in homes.items():
            (home / "landing" / FOLDER).mkdir(parents=True)
            files.write_files(
                con, home / "landing", start, end, MONTHS, withheld, lambda *_: None, as_x12=name == "x12"
            )
    return homes


@pytest.fixture(scope="module")
def audits(homes: dict[str, Path]) -> dict[str, list[LoadAudit]]:
    """Loads of the claims of each home, and of what payers say of them."""
    contracts = load_contracts()
    found: dict[str, list[LoadAudit]] = {}
    for name, home in homes.items():
        settings = Settings(home=home, quiet_seconds=0)
        prepare_lake(settings, contracts)
        take_inventory(settings, contracts)
        found[name] = [audit for feed in X12_FEEDS for audit in load_feed(feed, settings, contracts, KEY)]
    return found


def written(homes: dict[str, Path], kind: str) -> list[list[list[str]]]:
    """Elements of the segments of each file, by plain splitting."""
    texts = [path.read_text() for path in sorted((homes["x12"] / "landing" / FOLDER).glob(f"{kind}_*.x12"))]
    return [[part.strip().split("*") for part in text.split("~") if part.strip()] for text in texts]


def test_both_ways_bring_the_same_rows_into_the_lake(
    homes: dict[str, Path], audits: dict[str, list[LoadAudit]]
) -> None:
    contracts = load_contracts()
    with duckdb.connect() as con:
        for feed in X12_FEEDS:
            columns = [column.name for column in contracts[feed].lake_columns()]
            said = [name for name in columns if name not in OF_FILES]
            for name, home in homes.items():
                con.execute(
                    f"create or replace table {name} as select {', '.join(said)} "
                    f"from read_parquet('{home}/lake/raw/{feed}/{feed}-*.parquet', union_by_name = true)"
                )
            assert (
                con.execute("select count(*) from flat").fetchone()
                == con.execute("select count(*) from x12").fetchone()
            )
            assert con.execute("from flat except all from x12").fetchall() == []
    assert {audit.is_conserved for name in homes for audit in audits[name]} == {True}
    assert sum(audit.rows_set_aside or 0 for audit in audits["x12"]) == 0
    assert {audit.feed for audit in audits["x12"] if audit.layout == "x12"} == set(X12_FEEDS)


def test_claims_written_again_with_tokens_give_the_same_rows(
    homes: dict[str, Path], audits: dict[str, list[LoadAudit]], tmp_path: Path
) -> None:
    contracts = load_contracts()
    with duckdb.connect() as con:
        for feed in CLAIM_FEEDS:
            loads = [audit.load_id for audit in audits["x12"] if audit.feed == feed and audit.layout == "x12"]
            paths = [f"{homes['x12']}/lake/raw/{feed}/{load}.parquet" for load in loads]
            con.execute(f"create table {feed} as from read_parquet({paths})")
        text = claims_as_837(con, *CLAIM_FEEDS, KEY, "timestamp '2026-01-05 10:00'")
        settings = Settings(home=tmp_path, quiet_seconds=0)
        (settings.landing / FOLDER).mkdir(parents=True)
        (settings.landing / FOLDER / "again.x12").write_text(text)
        prepare_lake(settings, contracts)
        take_inventory(settings, contracts)
        for feed in CLAIM_FEEDS:
            (load,) = load_feed(feed, settings, contracts, KEY)
            columns = f"* exclude ({', '.join(OF_FILES)})"
            path = f"{tmp_path}/lake/raw/{feed}/{load.load_id}.parquet"
            assert (
                con.execute(f"select {columns} from {feed} except all select {columns} from '{path}'").fetchall() == []
            )
            assert con.execute(f"select count(*) from {feed}").fetchone() == (load.rows_accepted,)
            assert load.rows_read == load.rows_accepted and load.rows_read > 200


def test_the_books_take_back_what_a_replaced_claim_charged_though_no_x12_names_it(homes: dict[str, Path]) -> None:
    """REF F8 has the payer's number of the original alone, and the warehouse finds it by that."""
    postings = f"read_csv('{homes['x12']}/landing/ledger_posting/*.csv', all_varchar = true)"
    taken_back = f"select count(*) from {postings} where account_code = 'gross_charges' and posting_amount like '-%'"
    assert duckdb.execute(taken_back).fetchone() > (0,)


def test_what_no_x12_file_holds_goes_another_way_and_is_counted_once(tmp_path: Path) -> None:
    """A claim without lines, one sent after the last month, payments of no remittance, a remittance of no payments."""
    landing = tmp_path / "landing"
    with duckdb.connect() as con:
        start, end = world.build_world(con, 20, 7, 3)
        leave_unsaid(con)
        con.execute("""
            create table odd as select claim_id from medical_claim where submitted_date is not null order by 1 limit 2;
            delete from medical_claim_line where claim_id = (select min(claim_id) from odd);
            update medical_claim set submitted_date = date '2030-01-05' where claim_id = (select max(claim_id) from odd);
            create table lost as select arg_min(remittance_id, (paid_date, remittance_id)) as remittance_id from remittance;
            delete from remittance_advice where remittance_id in (from lost);
            insert into remittance_advice by name select * replace ('ALONE' as remittance_id, 0 as paid_amount)
            from remittance_advice order by paid_date, remittance_id limit 1""")
        (last,) = con.execute("select strftime(max(paid_date), '%Y-%m') from remittance").fetchone() or ("",)
        due = {}
        for feed in X12_FEEDS:
            sent = f"where strftime(paid_date, '%Y-%m') <> '{last}'" if feed in PAYMENT_FEEDS else ""
            (due[feed],) = con.execute(f"select count(*) from {feed} {sent}").fetchone() or (0,)
        (of_lost,) = con.execute("select count(*) from remittance where remittance_id in (from lost)").fetchone() or (
            0,
        )
        withheld = [(feed, last) for feed in PAYMENT_FEEDS]
        counts = files.write_files(con, landing, start, end, 3, withheld, lambda *_: None, as_x12=True)
    assert {feed: counts[feed] for feed in X12_FEEDS} == due
    text = "".join(path.read_text() for path in sorted((landing / FOLDER).glob("*.x12")))
    in_x12 = {
        "medical_claim": text.count("CLM*"),
        "medical_claim_line": text.count("SV1*") + text.count("SV2*"),
        "claim_acknowledgement": text.count("*PT~"),
        "remittance_advice": text.count("BPR*"),
        "remittance": due["remittance"] - of_lost,
    }
    flat = dict.fromkeys(in_x12, 0)
    with duckdb.connect() as con:
        for feed in in_x12:
            for path in (landing / feed).glob("*.csv*"):
                if not path.name.endswith(".ctl"):
                    (rows,) = con.execute(
                        f"select count(*) from read_csv('{path}', all_varchar = true)"
                    ).fetchone() or (0,)
                    flat[feed] += rows
    assert {feed: flat[feed] + count for feed, count in in_x12.items()} == {feed: due[feed] for feed in in_x12}
    assert flat["remittance"] == of_lost > 0 and flat["medical_claim"] >= 2 and "TRN*1*ALONE*" in text


def test_envelopes_count_what_is_in_them(homes: dict[str, Path]) -> None:
    kinds = [written(homes, kind) for kind in ("837", "835", "277")]
    assert {len(files_) >= MONTHS - 1 for files_ in kinds} == {True}
    files_ = [segments for of_kind in kinds for segments in of_kind]
    for segments in files_:
        tags = [segment[0] for segment in segments]
        starts = [place for place, tag in enumerate(tags) if tag == "ST"]
        ends = [place for place, tag in enumerate(tags) if tag == "SE"]
        assert [end - start + 1 for start, end in zip(starts, ends, strict=True)] == [
            int(segments[end][1]) for end in ends
        ]
        assert [segments[start][2] for start in starts] == [segments[end][2] for end in ends]
        assert sum(int(segment[1]) for segment in segments if segment[0] == "GE") == len(starts)
        assert int(segments[-1][1]) == tags.count("GS") and segments[-1][2] == segments[0][13]


def test_every_835_balances_at_line_claim_and_transaction(homes: dict[str, Path]) -> None:
    seen = 0
    for segments in written(homes, "835"):
        beside: Decimal = Decimal(0)
        claims: dict[int, list[Decimal]] = {}
        line, claim, bpr = Decimal(0), -1, Decimal(0)
        for place, segment in enumerate([*segments, ["SVC", "", "0", "0"]]):
            if segment[0] in ("SVC", "CLP", "PLB", "SE"):
                assert line == 0
                line = Decimal(segment[2]) - Decimal(segment[3]) if segment[0] == "SVC" else Decimal(0)
            if segment[0] == "CLP":
                claim = place
                claims[claim] = [Decimal(segment[3]), Decimal(segment[4])]
            elif segment[0] == "CAS":
                reasons = sum(Decimal(amount) for amount in segment[3::3])
                line -= reasons
                claims[claim][0] -= reasons
            elif segment[0] == "BPR":
                bpr = Decimal(segment[2])
            elif segment[0] == "PLB":
                beside += sum(Decimal(amount) for amount in segment[4::2])
            elif segment[0] == "SE":
                assert all(left == paid for left, paid in claims.values())
                assert sum(paid for _, paid in claims.values()) - beside == bpr
                seen, claims, beside = seen + len(claims), {}, Decimal(0)
    assert seen > 100


def test_every_277ca_counts_the_claims_that_it_accepts_and_rejects_as_a_whole_and_by_biller(
    homes: dict[str, Path],
) -> None:
    seen = {"WQ": 0, "U": 0}
    for segments in written(homes, "277"):
        # What each level says of the claims below it, and those claims: of the receiver all, of a biller his own.
        told: list[dict[str, Decimal]] = []
        claims: list[list[tuple[str, Decimal]]] = []
        above: dict[str, int] = {}
        for segment in segments:
            if segment[0] == "HL":
                level = segment[3]
                above[level] = len(told)
                told.append({})
                claims.append([])
            elif segment[0] in ("QTY", "AMT"):
                told[-1][segment[1]] = Decimal(segment[2])
            elif segment[0] == "STC" and level == "PT":
                seen[segment[3]] += 1
                for place in (above["21"], above["19"]):
                    claims[place].append((segment[3], Decimal(segment[4])))
        for said, below in zip(told, claims, strict=True):
            accepted, rejected = ([charge for code, charge in below if code == action] for action in ("WQ", "U"))
            counts = [said.get("90", said.get("QA", 0)), said.get("AA", said.get("QC", 0))]
            assert counts == [len(accepted), len(rejected)] and 0 not in said.values()
            assert [said.get("YU", 0), said.get("YY", 0)] == [sum(accepted), sum(rejected)]
    assert seen["WQ"] > 100 and seen["U"] > 2


def test_an_independent_validator_finds_nothing_wrong_by_the_guides(homes: dict[str, Path]) -> None:
    chosen = sorted((homes["x12"] / "landing" / FOLDER).glob("*_2024-0[57].x12"))
    assert [path.name[:3] for path in chosen] == ["277", "277", "835", "835", "837", "837"]
    for path in chosen:
        with path.open() as file:
            assert x12n_document(params(), file, io.StringIO(), None), path.name


def test_what_is_left_out_has_a_reason_and_was_there_before() -> None:
    assert all(item.reason for item in UNSAID)
    contracts = load_contracts()
    assert all(item.column in contracts[item.feed].columns for item in UNSAID)
    assert len({(item.feed, item.column) for item in UNSAID}) == len(UNSAID)
