"""Small interchanges written by hand after the implementation guides, and rows read from them.

Belongs here: envelopes whose counts are right unless a test says otherwise. Nobody in them exists.
"""

from __future__ import annotations

import duckdb

from dagster_project.sources.x12.cells import Record, take_segments
from dagster_project.sources.x12.envelopes import DAMAGE, find_damage, find_transactions, notes_on, notes_on_answers

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260121*1400*^*00501*000000001*0*P*:~"
PROFESSIONAL, INSTITUTIONAL, REMITTANCE = "005010X222A1", "005010X223A2", "005010X221A1"
ENROLMENT, BENEFIT = "005010X220A1", "005010X279A1"
ACCEPTANCE, READABILITY = "005010X214", "005010X231A1"
GROUPS = {"837": "HC", "835": "HP", "834": "BE", "271": "HB", "277": "HN", "999": "FA"}

BILLER = "HL*1**20*1~NM1*85*2*GROUP*****XX*1234567893~"
INSURED = "HL*2*1*22*0~SBR*P*18*******CI~NM1*IL*1*ROE*PAT****MI*M100~DMG*D8*19800101*F~NM1*PR*2*PLAN*****PI*P1~"
OFFICE_VISIT = (
    "CLM*A1*80***11:B:1*Y*A*Y*Y~REF*G1*AUTH7~HI*ABK:J029*ABF:R05~NM1*82*1*DOC*A****XX*1111111112~"
    "LX*1~SV1*HC:99213:25*50*UN*1***1~DTP*472*D8*20260102~LX*2~SV1*HC:87880*30*UN*2*11**1~DTP*472*RD8*20260102-20260103~"
)
# The biller sends the claim on to the patient's second payer, under its own number of it.
SENT_ON = INSURED.replace("SBR*P*", "SBR*S*").replace("*MI*M100~", "*MI*Z7~").replace("*PI*P1~", "*PI*P2~")
# The biller finds that another payer pays first, and sends the claim to that one, under the same number.
SENT_ELSEWHERE = INSURED.replace("*MI*M100~", "*MI*Z7~").replace("*PI*P1~", "*PI*P2~")
# Two claims of one insured, and a child who is covered through her.
TWO = BILLER + INSURED + OFFICE_VISIT + OFFICE_VISIT.replace("A1", "A2")
DEPENDENT = "HL*3*2*23*0~PAT*19~NM1*QC*1*ROE*Kim~DMG*D8*20150505*M~"
PAYER = "BPR*I*60*C*ACH************20260120~TRN*1*T1*1999999999~DTM*405*20260119~N1*PR*PLAN~N1*PE*GROUP*XX*1234567893~"
PAYMENT = (
    "LX*1~CLP*A1*1*80*60*10*12*C1*11*1~NM1*QC*1*ROE*PAT****MI*M100~DTM*232*20260102~"
    "SVC*HC:99213*50*40**1~DTM*472*20260102~CAS*CO*45*5~CAS*PR*1*3**2*2~SVC*HC:87880*30*20**2~DTM*472*20260102~CAS*PR*3*10~"
)
# Money of no claim, taken and given.
PLB = "PLB*1234567893*20261231*WO:A9*25*L6*-1.5~"
ENROLLING = "BGN*00*E1*20260101*1200****2~REF*38*POLICY~N1*P5*EMPLOYER*FI*999888777~N1*IN*PLAN*FI*654456654~"
# The insured of the claims above, who was called otherwise before, and the child who is covered through her.
ENROLLED = (
    "INS*Y*18*021*20*A***FT~REF*0F*M100~REF*1L*GROUP1~DTP*356*D8*20251201~NM1*IL*1*ROE*PAT****34*123456780~"
    "PER*IP**HP*7172343334~N3*1 ELM ST~N4*ANYTOWN*PA*171110000~DMG*D8*19800101*F~NM1*70*1*ROW*PAT~DMG*D8*19810101*M~"
    "HD*021**HMO*GOLD~DTP*348*D8*20260101~HD*021**DEN*SMILE~DTP*348*D8*20260101~"
)
ENROLLED_CHILD = (
    "INS*N*19*021*20*A~REF*0F*M100~REF*1L*GROUP1~NM1*IL*1*ROE*Kim~DMG*D8*20150505*M~HD*021**HMO~DTP*348*D8*20260115~"
)
REPLY = (
    "BHT*0022*11*Q1*20260105*1319~HL*1**20*1~NM1*PR*2*PLAN*****PI*P1~HL*2*1*21*1~NM1*1P*2*GROUP*****XX*1234567893~"
    "HL*3*2*22*1~TRN*2*T1*9877281234~NM1*IL*1*ROE*PAT****MI*M100~N3*1 ELM ST~N4*ANYTOWN*PA*17111~DMG*D8*19800101*F~"
    "DTP*346*D8*20260101~EB*1**30**GOLD~EB*B*IND*98^UC*HM*GOLD*27*25****N*Y~III*ZZ*11~MSG*ASK FOR PAT ROE~"
    "HL*4*3*23*0~TRN*2*T2*9877281234~NM1*03*1*ROE*Kim~DMG*D8*20150505*M~INS*N*19~EB*A*IND*30*****.2***U*N~"
)
# Two claims of one biller, A1 taken into adjudication and A2 rejected for its third diagnosis.
ACCEPTED_AND_REJECTED = (
    "BHT*0085*08*ACK1*20260122*0815*TH~HL*1**20*1~NM1*PR*2*PLAN*****PI*P1~TRN*1*BATCH1~DTP*050*D8*20260121~"
    "DTP*009*D8*20260122~HL*2*1*21*1~NM1*41*2*GROUP*****46*S1~TRN*2*B1~STC*A1:19:PR*20260122*WQ*160~QTY*90*1~QTY*AA*1~"
    "AMT*YU*80~AMT*YY*80~HL*3*2*19*1~NM1*85*2*GROUP*****XX*1234567893~TRN*1*0~STC*A1:19:PR**WQ*80~QTY*QA*1~QTY*QC*1~AMT*YU*80~AMT*YY*80~"
    "HL*4*3*PT~NM1*QC*1*ROE*PAT****MI*M100~TRN*2*A1~STC*A2:20:PR*20260122*WQ*80~REF*1K*C1~DTP*472*D8*20260102~"
    "HL*5*3*PT~NM1*QC*1*ROE*PAT****MI*M100~TRN*2*A2~STC*A7:254*20260122*U*80~STC*A7:488:85*20260122*U*80~"
    "DTP*472*D8*20260102~SVC*HC:99213*50*****1~STC*A7:454*20260122*U~REF*FJ*1~DTP*472*D8*20260102~"
)
# Of three transactions the first is accepted, the second with an error, and the third cannot be read.
READ_AND_UNREADABLE = (
    "AK1*HC*7*005010X222A1~AK2*837*0001*005010X222A1~IK5*A~AK2*837*0002*005010X222A1~IK3*SV1*22*2400*8~"
    "CTX*CLM01:A2~IK4*1:2*234*7*9921~IK4*2*782*6*8O~IK5*E*5~AK2*837*0003*005010X222A1~IK5*R*4~AK9*P*3*3*2~"
)

# A group of which each transaction is answered alike.
WHOLE_GROUP = "AK1*HC*8*005010X222A1~AK9*R*2*2*0*1~"


def transaction(
    kind: str, version: str, body: str, number: int = 1, counted: int = 0, closing: int | None = None
) -> str:
    """ST to SE; `counted` is added to the true count, `closing` is another control number."""
    segments = body.count("~") + 2
    return f"ST*{kind}*{number:04}*{version}~{body}SE*{segments + counted}*{number if closing is None else closing:04}~"


def interchange(kind: str, version: str, *bodies: str, **faults: int) -> bytes:
    """One group with a transaction for each body."""
    transactions = "".join(transaction(kind, version, body, place, **faults) for place, body in enumerate(bodies, 1))
    group = f"GS*{GROUPS[kind]}*SENDER*RECEIVER*20260121*1400*1*X*{version}~"
    return f"{ISA}{group}{transactions}GE*{len(bodies)}*1~IEA*1*000000001~".encode()


def claims(*bodies: str, version: str = PROFESSIONAL, **faults: int) -> bytes:
    return interchange("837", version, *(f"BHT*0019*00*B1*20260104*0930*CH~{body}" for body in bodies), **faults)


def payments(*bodies: str, **faults: int) -> bytes:
    return interchange("835", REMITTANCE, *(PAYER + body for body in bodies), **faults)


def enrolments(*bodies: str, **faults: int) -> bytes:
    return interchange("834", ENROLMENT, *(ENROLLING + body for body in bodies), **faults)


def replies(*bodies: str, **faults: int) -> bytes:
    return interchange("271", BENEFIT, *bodies, **faults)


def acceptances(*bodies: str, **faults: int) -> bytes:
    return interchange("277", ACCEPTANCE, *bodies, **faults)


def readabilities(*bodies: str, **faults: int) -> bytes:
    return interchange("999", READABILITY, *bodies, **faults)


# One small file of each kind that a feed reads.
WHOLE = {
    837: claims(TWO),
    835: payments(PAYMENT + PAYMENT.replace("A1", "A2") + PLB),
    834: enrolments(ENROLLED + ENROLLED_CHILD),
    271: replies(REPLY),
    277: acceptances(ACCEPTED_AND_REJECTED),
    999: readabilities(READ_AND_UNREADABLE),
}

# The payer takes back what it paid for A1, and pays it otherwise, and calls the claim X9; its own number of it is the same.
MISNAMED = (
    payments(
        "LX*1~CLP*X9*22*-80*-60**12*C1*11*1~NM1*QC*1*ROE*PAT****MI*M100~DTM*232*20260102~"
        "SVC*HC:99213*-50*-40**1~DTM*472*20260102~CAS*CO*45*-5~CAS*PR*1*-3**2*-2~"
        "SVC*HC:87880*-30*-20**2~DTM*472*20260102~CAS*PR*3*-10~"
        "CLP*X9*1*80*70*5*12*C1*11*1~NM1*QC*1*ROE*PAT****MI*M100~DTM*232*20260102~"
        "SVC*HC:99213*50*40**1~DTM*472*20260102~CAS*CO*45*5~CAS*PR*1*3**2*2~SVC*HC:87880*30*30**2~DTM*472*20260102~"
    )
    .replace(b"BPR*I*60*", b"BPR*I*10*")
    .replace(b"*20260120~TRN*1*T1*", b"*20260320~TRN*1*T3*")
    .replace(b"DTM*405*20260119", b"DTM*405*20260319")
)

# The same under a new number of the payer's as well: what it negates to the cent is all that tells of which claim it is.
UNNUMBERED = MISNAMED.replace(b"*C1*11*1~", b"*C9*11*1~")


def picked(found: list[dict[str, str]], *names: str) -> list[tuple[str | None, ...]]:
    """These cells of each row; None where a row has no such cell."""
    return [tuple(row.get(name) for name in names) for row in found]


def rows(data: bytes, record: Record) -> list[dict[str, str]]:
    """Cells that are there, of each row in the file's order."""
    with duckdb.connect() as con:
        take_segments(con, [data], record)
        found = con.execute(f"{record.statement(record.columns)} order by line, part").fetchall()
    return [
        {name: cell for name, cell in zip(record.columns, cells, strict=True) if cell is not None}
        for _, _, _, *cells in found
    ]


def damage(data: bytes, kind: int) -> list[tuple[int, str]]:
    """Units that are set aside, and why."""
    with duckdb.connect() as con:
        take_segments(con, [data])
        find_transactions(con)
        find_damage(con, kind)
        return con.execute(f"select unit, reason_code from {DAMAGE} order by unit").fetchall()


def notes(data: bytes) -> list[str]:
    """What is told of the file."""
    with duckdb.connect() as con:
        loose_bytes = take_segments(con, [data]).loose_bytes
        find_transactions(con)
        return notes_on_answers(con) + notes_on(con, loose_bytes, {837, 835, 834, 271, 277, 999})
