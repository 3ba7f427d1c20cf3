"""Who may open what, who may do what: a table by hand. What somebody may not see does not exist for them, what they
may not do changes nothing, and no list, search or count says that it is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.casework.attach import attach
from app.db import db, transaction
from app.models import (
    ApiKey,
    Case,
    Document,
    Identifier,
    Issue,
    JournalLine,
    Mandate,
    MandatePaper,
    MandateRequest,
    Membership,
    Office,
    ReceiverKey,
    Statement,
    Subject,
    Subscription,
    User,
)
from app.now import now
from app.registry.codes import complete_code
from app.security import SIGNED_IN_AT
from tests.build import a_case, state, walk
from tests.cast import SINCE
from tests.journeys.hostile import (
    EVERYBODY,
    Asked,
    Stage,
    crawl,
    forms_on,
    pages_with_forms,
    photograph,
    read,
    rows,
    send,
    speaks,
    told_of,
)
from workflows.law import rules

# Who:  nobody signed in · 邓敏 of the applicant · 王强 of another company · 李昊 受理 · 周敏 审核 · 陈立 确认 ·
#       贺岚 处理 · 唐文 负责人 · 蒋律 法制 · 沈工 管理员 · 刘波 of 长沙 · a linked department · without any part
#
# + the page opens        > sent on, to sign in or to one's own counter
# x 403, not their counter    - 404, does not exist for them        . 401, for programs with a key (tests/api)
TABLE = """
                                        nobody deng wang li zhou chen he tang jiang shen liu linked none
/                                       +      +    +    +  +    +    +  +    +     +    +   +      +
/subjects/{company}                     +      +    +    +  +    +    +  +    +     +    +   +      +
/subjects/{company}/qr.svg              +      +    +    +  +    +    +  +    +     +    +   +      +
/extracts/{paper_public}                +      +    +    +  +    +    +  +    +     +    +   +      +
/extracts/{paper_public}.pdf            +      +    +    +  +    +    +  +    +     +    +   +      +
/extracts/{paper_own}                   -      -    -    -  -    -    -  -    -     -    -   -      -
/extracts/{paper_desk}.pdf              -      -    -    -  -    -    -  -    -     -    -   -      -
/guide                                  +      +    +    +  +    +    +  +    +     +    +   +      +
/policies                               +      +    +    +  +    +    +  +    +     +    +   +      +
/progress                               +      +    +    +  +    +    +  +    +     +    +   +      +
/search                                 +      +    +    +  +    +    +  +    +     +    +   +      +
/penalties                              +      +    +    +  +    +    +  +    +     +    +   +      +
/penalties?cls=严重                       +      +    +    +  +    +    +  +    +     +    +   +      +
/penalties.csv                          +      +    +    +  +    +    +  +    +     +    +   +      +
/permits                                +      +    +    +  +    +    +  +    +     +    +   +      +
/permits.csv                            +      +    +    +  +    +    +  +    +     +    +   +      +
/records/{shown}                        +      +    +    +  +    +    +  +    +     +    +   +      +
/records/{shown}/qr.svg                 +      +    +    +  +    +    +  +    +     +    +   +      +
/verify                                 +      +    +    +  +    +    +  +    +     +    +   +      +
/verify/{code}                          +      +    +    +  +    +    +  +    +     +    +   +      +
/language/en                            >      >    >    >  >    >    >  >    >     >    >   >      >
/health                                 +      +    +    +  +    +    +  +    +     +    +   +      +
/login                                  +      >    >    >  >    >    >  >    >     >    >   >      >
/password                               >      +    +    +  +    +    +  +    +     +    +   +      +
/sign-up                                +      >    >    >  >    >    >  >    >     >    >   >      >
/mandates                               >      +    +    +  +    +    +  +    +     +    +   +      +
/mandates/new                           >      +    +    +  +    +    +  +    +     +    +   +      +
/mandates/{wants}                       >      +    -    -  -    -    -  -    -     -    -   -      -
/mandates/{confirmed}                   >      -    -    -  -    -    -  -    -     -    -   -      -
/mandates/held/{held}/end               >      +    -    -  -    -    -  -    -     -    -   -      -
/my/                                    >      +    +    x  x    x    x  x    x     x    x   x      x
/my/records                             >      +    +    x  x    x    x  x    x     x    x   x      x
/my/records/{public_id}                 >      +    -    x  x    x    x  x    x     x    x   x      x
/my/file                                >      +    +    x  x    x    x  x    x     x    x   x      x
/my/papers/{paper_own}                  >      +    -    x  x    x    x  x    x     x    x   x      x
/my/papers/{paper_own}.pdf              >      +    -    x  x    x    x  x    x     x    x   x      x
/my/papers/{paper_desk}                 >      -    -    x  x    x    x  x    x     x    x   x      x
/my/cases                               >      +    +    x  x    x    x  x    x     x    x   x      x
/my/cases/{number}                      >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{number}/steps/withdraw       >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{number}/why/total            >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{number}/done/3               >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{number}/documents/{doc}      >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{number}/documents/{doc}.pdf  >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{number}/files/{use}          >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{draft}/papers                >      +    -    x  x    x    x  x    x     x    x   x      x
/my/cases/{draft}/letter                >      +    -    x  x    x    x  x    x     x    x   x      x
/my/filings/{receipt}                   >      +    -    x  x    x    x  x    x     x    x   x      x
/my/filings/{receipt}/contact           >      +    -    x  x    x    x  x    x     x    x   x      x
/desk/                                  >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/cases                             >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/records                           >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/hall/                             >      x    x    +  x    x    x  x    x     x    +   x      x
/desk/hall/{applicant}                  >      x    x    +  x    x    x  x    x     x    +   x      x
/desk/hall/{applicant}/filing           >      x    x    >  x    x    x  x    x     x    >   x      x
/desk/hall/receipts/2222-2222           >      x    x    -  x    x    x  x    x     x    -   x      x
/desk/hall/cases/{number}/completion    >      x    x    -  x    x    x  x    x     x    -   x      x
/desk/hall/999999                       >      x    x    -  x    x    x  x    x     x    -   x      x
/desk/cases/{number}                    >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/cases/{number}/steps/serve        >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/cases/{number}/why/total          >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/cases/{number}/done/4             >      x    x    +  -    -    -  -    -     x    -   x      x
/desk/cases/{number}/documents/{doc}    >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/cases/{number}/documents/{doc}.pdf >     x    x    +  +    +    +  +    +     x    -   x      x
/desk/cases/{number}/files/{use}        >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/subjects/{applicant}              >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/subjects/999999                   >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/papers/{paper_desk}               >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/papers/{paper_desk}.pdf           >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/papers/{paper_own}                >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/records/{public_id}               >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/records/{public_id}/annul         >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/records/{public_id}/class         >      x    x    +  +    +    +  +    +     x    -   x      x
/desk/cases/{draft}                     >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/cases/{draft}/steps/discard       >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/cases/{city}                      >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/cases/{city}/files/{city_use}     >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/records/{city_record}             >      x    x    +  +    +    +  +    +     x    +   x      x
/desk/mandates                          >      x    x    +  -    -    -  -    -     x    +   x      x
/desk/mandates/{wants}                  >      x    x    +  -    -    -  -    -     x    -   x      x
/desk/mandates/{wants}/papers/{paper}   >      x    x    +  -    -    -  -    -     x    -   x      x
/desk/mandates/{wants}/confirm          >      x    x    +  -    -    -  -    -     x    -   x      x
/desk/mandates/{wants}/refuse           >      x    x    +  -    -    -  -    -     x    -   x      x
/desk/mandates/{wants}/end              >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/mandates/{confirmed}/end          >      x    x    +  -    -    -  -    -     x    -   x      x
/desk/mandates/{confirmed}/papers/{paper} >    x    x    -  -    -    -  -    -     x    -   x      x
/desk/sharing                           >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/to/ld-market              >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/to/ld-market/dead         >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/notices/{dead}/skip       >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/issues                    >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/issues/{issue}            >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/books                     >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/statements                >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/statements/{statement}    >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/statements/{statement}/lines.csv >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/sharing/to/nobody                 >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/sharing/issues/999999             >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/sharing/statements/999999         >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/sharing/notices/{told}/skip       >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/intake                            >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/new                        >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/templates/XZCF.xlsx        >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/{batch}                    >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/{batch}/rows               >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/{batch}/rows/1             >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/{batch}/records            >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/{batch}/undo               >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/{batch}/result.csv         >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/intake/{batch}/rows/999           >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/codes                             >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/codes/{batch}/4                   >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/codes/{batch}/1                   >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/coverage                          >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/coverage.csv                      >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/coverage/jt-430100                >      x    x    -  -    -    +  +    -     x    -   x      x
/desk/coverage/ld-market                >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/intake/999999                     >      x    x    -  -    -    -  -    -     x    -   x      x
/agency/                                >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/notices                         >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface                       >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/secret                >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/receipt-keys/new      >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/keys/{secret}/end     >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/api-keys/new          >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/api-keys/{api_key}/end >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/subscriptions/new     >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/subscriptions/{wanted}/end >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/interface/keys/{foreign_key}/end >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/interface/api-keys/999999/end   >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/interface/subscriptions/999999/end >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/notices/{told}                  >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/notices/{told_others}           >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/notices/case-0-0-nobody         >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/notices.csv                     >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/receipts?notice={told}          >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/receipts?notice={told_others}   >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/receipts/done?left={told}       >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/receipts/done?left={told_others} >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/statements                      >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/statements/{statement}          >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/statements/{statement}/lines.csv >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/statements/{statement}/statement.pdf >      x    x    x  x    x    x  x    x     x    x   +      x
/agency/statements/{statement_others}   >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/statements/{statement_others}/lines.csv >      x    x    x  x    x    x  x    x     x    x   -      x
/agency/statements/999999               >      x    x    x  x    x    x  x    x     x    x   -      x
/api/                                   +      +    +    +  +    +    +  +    +     +    +   +      +
/api/scopes/notices                     +      +    +    +  +    +    +  +    +     +    +   +      +
/api/formats/result                     +      +    +    +  +    +    +  +    +     +    +   +      +
/api/openapi.json                       +      +    +    +  +    +    +  +    +     +    +   +      +
/api/v1/notices                         .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/notices/x                       .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/notices/x/receipts              .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/filings/{receipt}               .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/cases                           .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/cases/{number}                  .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/subjects                        .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/subjects/{company}              .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/subjects/{company}/records      .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/shared/subjects/{company}       .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/shared/subjects/{company}/records .    .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/statements                      .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/statements/1                    .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/statements/1/lines              .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/statements/1/lines.csv          .      .    .    .  .    .    .  .    .     .    .   .      .
/api/v1/statements/1/statement.pdf      .      .    .    .  .    .    .  .    .     .    .   .      .
/admin/users                            >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/new                        >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/{liu}                      >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/{liu}/name                 >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/{liu}/password             >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/{liu}/close                >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/{liu}/reopen               >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/{liu}/roles/new            >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/users/{liu}/mandates/new         >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/roles/{role}/end                 >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/mandates/{mandate}/end           >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/offices                          >      x    x    x  x    x    x  x    +     +    x   x      x
/admin/offices/{office}                 >      x    x    x  x    x    x  x    +     +    x   x      x
/admin/endpoints                        >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/endpoints/{market}               >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/endpoints/{market}/stop          >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/endpoints/{market}/resume        >      x    x    x  x    x    x  x    x     +    x   x      x
/admin/endpoints/{office}               >      x    x    x  x    x    x  x    x     -    x   x      x
/admin/law                              >      x    x    x  x    x    x  x    +     +    x   x      x
/admin/law/attest?{law}                 >      x    x    x  x    x    x  x    +     +    x   x      x
/admin/calendar                         >      x    x    x  x    x    x  x    +     +    x   x      x
/admin/calendar/add                     >      x    x    x  x    x    x  x    x     +    x   x      x
/my/cases/XF-22222222                   >      -    -    x  x    x    x  x    x     x    x   x      x
/desk/cases/XF-22222222                 >      x    x    -  -    -    -  -    -     x    -   x      x
/desk/records/0123456789abcdef          >      x    x    -  -    -    -  -    -     x    -   x      x
/admin/users/999999                     >      x    x    x  x    x    x  x    x     -    x   x      x
/records/0123456789abcdef                -      -    -    -  -    -    -  -    -     -    -   -      -
/nowhere                                -      -    -    -  -    -    -  -    -     -    -   -      -
"""

STATUS = {"+": (200,), ">": (302, 303), "x": (403,), "-": (404,), ".": (401,)}


def table() -> Iterator[tuple[str, str | None, str]]:
    """(address, who, mark) of the table."""
    head, *lines = TABLE.strip("\n").splitlines()
    names = head.split()
    assert [name.replace("nobody", "").replace("none", "") for name in names[1:-1]] == list(EVERYBODY[1:-1])
    for line in lines:
        address, *marks = line.split()
        assert len(marks) == len(EVERYBODY), line
        yield from ((address, who, mark) for who, mark in zip(EVERYBODY, marks, strict=True))


@pytest.fixture
def real(stage: Stage) -> dict[str, Any]:
    """What stands for each word of the table: things of the province's office, of 长沙, of the filer."""
    done, draft, city, cast = stage.of("processing"), stage.of("unproved"), stage.of("changsha"), stage.cast
    row = next(row for rule in rules() for row in rule.rows if not row.verified and row.value is not None)
    role = db.session.execute(select(Membership.id).where(Membership.user_id == cast.users["liu"])).scalar_one()
    market, trading = cast.offices["ld-market"], cast.offices["ld-trading"]
    secret, foreign_key = (
        db.session.execute(select(ReceiverKey.id).where(ReceiverKey.office_id == of).order_by(ReceiverKey.id)).scalar()
        for of in (market, trading)
    )
    api_key = db.session.execute(select(ApiKey.id).where(ApiKey.office_id == market)).scalar()
    wanted = db.session.execute(select(Subscription.id).where(Subscription.office_id == market)).scalar()
    mandate = db.session.execute(select(Mandate.id).where(Mandate.user_id == cast.users["wang"])).scalar_one()
    held = db.session.execute(select(Mandate.id).where(Mandate.user_id == cast.users["deng"])).scalars().first()
    papers = select(MandateRequest.receipt, MandatePaper.id).join(MandateRequest)
    (wants, paper), (confirmed, _other) = db.session.execute(papers.order_by(MandatePaper.id)).all()
    issue = db.session.execute(select(Issue.id).where(Issue.kind == "dead")).scalar()
    drawn = select(Office.code, Statement.id).join(Office, Office.id == Statement.receiver_id)
    statements = {row.code: row.id for row in db.session.execute(drawn)}
    db.session.rollback()
    return {
        "number": done["number"], "public_id": done["public_id"], "doc": done["document_id"], "use": done["use_id"],
        "shown": stage.of("accepted")["public_id"],
        "code": done["code"], "draft": draft["number"], "receipt": draft["receipt"], "city": city["number"],
        "city_use": city["use_id"], "city_record": city["public_id"], "applicant": cast.subjects["yueheng"],
        "company": cast.codes["yueheng"], "paper_public": stage.cases["paper-public"],
        "paper_own": stage.cases["paper-own"], "paper_desk": stage.cases["paper-desk"],
        "liu": cast.users["liu"], "role": role, "mandate": mandate, "office": cast.offices["changsha"],
        "law": f"rule={row.rule_id}&row={row.digest}", "secret": secret, "foreign_key": foreign_key,
        "wants": wants, "confirmed": confirmed, "paper": paper, "held": held,
        "api_key": api_key, "wanted": wanted, "market": market,
        "told": told_of(stage, "processing", "ld-market"),
        "dead": told_of(stage, "processing", "ld-trading"), "issue": issue,
        "statement": statements["ld-market"], "statement_others": statements["ld-trading"],
        "batch": cast.batches["done"],
        "told_others": told_of(stage, "processing", "ld-trading"),
    }  # fmt: skip


# --- pages -------------------------------------------------------------------------------------------------------


def test_every_page_of_the_house_stands_in_the_table(stage: Stage, real: dict[str, Any]) -> None:
    adapter = stage.app.url_map.bind("")
    reached = set()
    for address in {address for address, _who, _mark in table()} - {"/nowhere"}:
        reached.add(adapter.match(address.format(**real).partition("?")[0])[0])
    pages = {rule.endpoint for rule in stage.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert pages - reached == {"static", "bootstrap.static", "service.ready"}


def test_everybody_opens_what_the_table_says_and_nothing_else(stage: Stage, real: dict[str, Any]) -> None:
    clients = {who: stage.client(who) for who in EVERYBODY}
    before, wrong = rows(), []
    for address, who, mark in table():
        answer = clients[who].get(address.format(**real))
        if answer.status_code not in STATUS[mark]:
            wrong.append(f"{address} for {who}: {answer.status_code}, {mark} in the table")
        if mark == ">" and who is None and not address.startswith("/language/"):
            assert answer.headers["Location"].startswith("/login?next="), address
        if mark in "x-":
            assert speaks(answer), address
    assert not wrong, "\n".join(wrong)
    assert rows() == before, "looking at a page writes nothing"


def test_what_one_may_not_see_looks_exactly_like_what_is_not_there(stage: Stage, real: dict[str, Any]) -> None:
    def page(who: str, address: str) -> str:
        return re.sub(r'name="csrf_token" value="[^"]*"', "", stage.client(who).get(address).get_data(as_text=True))

    for who, hidden, nothing in (
        ("liu", f"/desk/cases/{real['number']}", "/desk/cases/XF-22222222"),
        ("li", f"/desk/cases/{real['draft']}", "/desk/cases/XF-22222222"),
        ("wang", f"/my/cases/{real['number']}", "/my/cases/XF-22222222"),
        ("wang", f"/my/cases/{real['number']}/files/{real['use']}", f"/my/cases/{real['number']}/files/99999"),
        ("liu", f"/desk/records/{real['public_id']}", "/desk/records/0123456789abcdef"),
        ("wang", f"/my/filings/{real['receipt']}", "/my/filings/2222-2222"),
        ("wang", f"/mandates/{real['wants']}", "/mandates/2222-2222"),
        ("liu", f"/desk/mandates/{real['wants']}", "/desk/mandates/2222-2222"),
        ("linked", f"/agency/notices/{real['told_others']}", "/agency/notices/case-0-0-nobody"),
    ):
        assert page(who, hidden) == page(who, nothing), (who, hidden)


def test_a_document_or_file_opens_only_under_its_own_case(stage: Stage, real: dict[str, Any]) -> None:
    """Also for whoever may see both cases."""
    li, deng = stage.client("li"), stage.client("deng")
    for client, counter in ((li, "desk"), (deng, "my")):
        for tail in (f"documents/{real['doc']}", f"documents/{real['doc']}.pdf", f"files/{real['use']}"):
            assert client.get(f"/{counter}/cases/{real['number']}/{tail}").status_code == 200
            assert client.get(f"/{counter}/cases/{stage.cases['reviewed']}/{tail}").status_code == 404


# --- deeds -------------------------------------------------------------------------------------------------------

SHARING = {"he", "tang"}
"""Who looks after what others are told."""
GRAVE = ("/undo", "/rename", "/move", "/code")
"""What of the intake only those do who may change a record."""
SAME_HANDS = {
    "/annul": {"zhou", "chen", "tang"},
    "/class": {"zhou", "chen", "tang"},
    "/notice": {"zhou", "chen", "tang"},
    "/my/file": {"deng", "wang", "luo"},
}
"""Deeds that several roles of the office may do."""


def may(asked: Asked, who: str | None) -> bool:
    """Whether somebody may send a form that was found at the rightful person's counter."""
    path = asked.action.partition("?")[0]
    if path in ("/", "/verify", "/progress", "/login", "/sign-up", "/password", "/mandates/new"):
        return who is not None or path not in ("/password", "/mandates/new")
    if path.startswith(("/desk/sharing", "/desk/intake", "/desk/codes")):
        return who in ({"tang"} if path.endswith(GRAVE) else SHARING)
    if path == "/desk/hall/":
        return who in ("li", "liu")  # every window finds every company; what it may take in is for its own records
    if path.startswith("/desk/subjects/"):
        return who in ("li", "zhou", "chen", "he", "tang", "jiang", "liu")  # whoever has a record of the subject
    hands = next((hands for tail, hands in SAME_HANDS.items() if path.endswith(tail)), {asked.who})
    return who in hands


@pytest.mark.parametrize("owner", ["deng", "li", "zhou", "chen", "he", "tang", "jiang", "shen", "linked", "both"])
def test_a_step_is_taken_by_those_whose_it_is_and_by_nobody_else(stage: Stage, owner: str) -> None:
    """The rightful person's own form, filled in rightly, sent by everybody else with a token of their own."""
    clients = {who: stage.client(who) for who in EVERYBODY}
    tokens = {who: client.token() for who, client in clients.items()}
    before = everything()
    for page in pages_with_forms(stage)[owner]:
        for asked in forms_on(stage.client(owner), owner, page):
            for who in EVERYBODY:
                if may(asked, who):
                    continue
                answer = send(clients[who], asked, asked.filled(csrf_token=tokens[who]))
                what = f"{asked.action} by {who}: {answer.status_code}"
                assert answer.status_code == refused_with(asked, who), what
                assert (answer.status_code == 303 or speaks(answer)) and everything() == before, what


def refused_with(asked: Asked, who: str | None) -> int:
    """With what somebody is refused who may not."""
    counter, part = asked.action.split("/")[1], asked.action
    if who is None:
        return 401
    gate = {
        "my": {"deng", "wang", "luo"}, "admin": {"shen", "jiang"},
        "desk": {"li", "zhou", "chen", "he", "tang", "jiang", "liu"},
        "agency": {"linked"}, "mandates": set(EVERYBODY),
    }[counter]  # fmt: skip
    if who not in gate:
        return 403
    if counter == "mandates":
        return 404
    if counter == "my":
        return 422 if part == "/my/records" else 404
    if who == "liu" and "/hall/" in part and "/filing" in part:
        return 303  # led back to the records that this window takes in
    if who == "he" and part.endswith(GRAVE):
        return 403
    if counter == "desk":
        return (
            404
            if who == "liu" or part.startswith(("/desk/sharing", "/desk/mandates", "/desk/intake", "/desk/codes"))
            else 403
        )
    if counter == "agency":
        return 404
    return 403


def everything() -> tuple[dict[str, int], list[Any], list[Any]]:
    """How many rows there are, where every case stands, and what everybody's account says."""
    cases = db.session.execute(select(Case.number, Case.state, Case.version).order_by(Case.id)).all()
    users = db.session.execute(
        select(User.id, User.name, User.active, User.session_version, User.password_hash).order_by(User.id)
    ).all()
    held = db.session.execute(select(Membership.id, Membership.valid_until).order_by(Membership.id)).all()
    db.session.rollback()
    return rows(), [tuple(row) for row in cases], [tuple(row) for row in (*users, *held)]


def test_the_rightful_person_can(stage: Stage) -> None:
    """Otherwise the refusals above would say nothing."""
    done = 0
    for owner in ("deng", "li", "zhou", "chen", "he", "tang", "jiang", "shen", "linked", "both"):
        for page in pages_with_forms(stage)[owner]:
            client = stage.client(owner)
            for asked in forms_on(client, owner, page):
                more = {"accept": "y"}
                if "/offices/" in asked.action:
                    more |= {"phone": "0731-0000-0009", "review_address": ""}
                more |= {"text": stage.cast.codes["yueheng"]} if asked.action == "/desk/hall/" else {}
                more |= {"name": "刘泊"} if asked.action.endswith("/name") else {}
                more |= {"office": str(stage.cast.offices["changsha"]), "role": "head"} if "role" in asked.kinds else {}
                more |= {"until": None} if asked.action.endswith("-keys/new") else {}
                more |= {"channel": "counter", "address": ""} if "/admin/endpoints/" in asked.action else {}
                answer = send(client, asked, asked.filled(csrf_token=client.token(), **more))
                shown = (
                    "/users/new",
                    "/password",
                    "/calendar/add",
                    "/interface/secret",
                    "/api-keys/new",
                    "/filing",
                    "/undo",
                )  # what was made, or would be done, is shown at once
                at_once = asked.action.partition("?")[0].endswith(shown) or "/desk/subjects/" in asked.action
                wanted = 200 if owner in ("shen", "linked", "li", "tang") and at_once else 303
                assert answer.status_code == wanted, (
                    f"{asked.action}: {answer.status_code} {''.join(read(answer.get_data(as_text=True)).words)}"
                )
                done += 1
                stage.put_back()
                client = stage.client(owner)
    assert done > 35


def test_a_reviewer_who_is_also_confirmer_does_not_decide_on_their_own_opinion(stage: Stage) -> None:
    cast, number = stage.cast, stage.cases["accepted"]
    with transaction():
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["zhou"], office_id=cast.offices["province"], role="confirmation", valid_from=SINCE
            )
        )
    client = stage.client("zhou")
    asked = forms_on(client, "zhou", f"/desk/cases/{number}/steps/review")[0]
    assert send(client, asked, asked.filled()).status_code == 303
    page = client.get(f"/desk/cases/{number}/steps/confirm")
    assert page.status_code == 200 and "不同的人办理" in page.get_data(as_text=True)
    foreign = forms_on(stage.client("chen"), "chen", f"/desk/cases/{number}/steps/confirm")[0]
    answer = send(client, foreign, foreign.filled(csrf_token=client.token()))
    assert answer.status_code == 403 and state(number) == "reviewed"


@pytest.mark.parametrize(("step", "start"), [("review", "accepted"), ("confirm", "reviewed"), ("receive", "submitted")])
def test_the_head_and_the_upper_office_do_not_do_the_work_of_others(stage: Stage, step: str, start: str) -> None:
    rightful = {"review": "zhou", "confirm": "chen", "receive": "li"}[step]
    asked = forms_on(stage.client(rightful), rightful, f"/desk/cases/{stage.cases[start]}/steps/{step}")[0]
    tang = stage.client("tang")
    assert send(tang, asked, asked.filled(csrf_token=tang.token())).status_code == 403
    zhou, city = stage.client("zhou"), stage.cases["changsha"]
    assert state(city) == "accepted"
    data = {"csrf_token": zhou.token(), "seen_version": "4", "key": "k", "opinion": "grant", "finding": "x"}
    answer = zhou.post(f"/desk/cases/{city}/steps/review", data=data)
    assert answer.status_code in (403, 409) and state(city) == "accepted"


def test_an_officer_who_acts_for_the_company_keeps_away_from_its_case_and_reads_no_opinion(stage: Stage) -> None:
    cast, number = stage.cast, stage.cases["reviewed"]
    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["chen"], subject_id=cast.subjects["yueheng"], capacity="clerk", evidence="委托书",
                valid_from=SINCE,
            )
        )  # fmt: skip
    chen = stage.client("chen")
    for address in (f"/desk/cases/{number}", f"/my/cases/{number}", f"/desk/cases/{number}/steps/confirm"):
        page = chen.get(address).get_data(as_text=True)
        assert "义务已履行" not in page, "the reviewer's opinion is for officers, not for the applicant"
    assert "义务已履行" in stage.client("zhou").get(f"/desk/cases/{number}").get_data(as_text=True)
    answer = chen.get(f"/desk/cases/{number}/steps/confirm")
    assert "应当回避" in answer.get_data(as_text=True)


# --- lists, searches, counts -------------------------------------------------------------------------------------

CANARIES = {"province": "金丝雀货运", "changsha": "知更鸟客运", "other": "夜莺危货"}


@pytest.fixture
def birds(stage: Stage) -> dict[str, tuple[str, str]]:
    """A company of a telling name with a case at the province, one at 长沙, one with only a draft: (number, code)."""
    cast, found = stage.cast, {}
    for n, (key, name) in enumerate(CANARIES.items()):
        code = complete_code(f"91430100MA7X9K{n}Q")
        with transaction():
            subject = db.session.execute(
                insert(Subject)
                .values(kind="enterprise", name=f"湖南{name}有限公司", legal_representative="罗建平", region="430100")
                .returning(Subject.id)
            ).scalar_one()
            db.session.execute(insert(Identifier).values(subject_id=subject, kind="uscc", value=code, valid_from=SINCE))
            db.session.execute(
                insert(Mandate).values(
                    user_id=cast.users["deng"], subject_id=subject, capacity="clerk", evidence="委托书",
                    valid_from=SINCE,
                )
            )  # fmt: skip
        kept = cast.subjects["yueheng"], cast.codes["yueheng"]
        cast.subjects["yueheng"], cast.codes["yueheng"] = subject, code
        office = "changsha" if key == "changsha" else "province"
        number = a_case(cast, at="draft", office=office)
        if key != "other":
            with transaction():
                attach(
                    number, actor=cast.who("deng"), purpose="duty_proof", name=f"{name}.png", data=photograph(),
                    folder=stage.app.config["INSTANCE"] / "uploads", limit=10**6, at=now(),
                )  # fmt: skip
            walk(cast, number, "deng", "submit")
        cast.subjects["yueheng"], cast.codes["yueheng"] = kept
        found[key] = (number, code)
    with transaction():
        db.session.execute(
            update(Mandate)
            .where(Mandate.user_id == cast.users["deng"], Mandate.subject_id > 2)
            .values(valid_until=date(2026, 11, 23))
        )
    return found


def test_no_list_search_or_count_tells_of_a_case_of_another_office(
    stage: Stage, birds: dict[str, tuple[str, str]]
) -> None:
    """A draft is nobody's business but the filer's, though its record is the office's own."""
    sees = {
        "liu": ({"changsha"}, {"changsha"}), "li": ({"province", "changsha"}, set(CANARIES)),
        "jiang": ({"province", "changsha"}, set(CANARIES)), "wang": (set(), set()), "linked": (set(), set()),
        "nobody": (set(), set()), "deng": (set(), set()),
    }  # fmt: skip
    for who, (cases, companies) in sees.items():
        client = stage.client(who)
        counters = ("/my", "/desk", "/admin")
        pages = [page for path, page in crawl(stage, who, limit=70, alike=6) if path.startswith(counters)]
        for key, (number, code) in birds.items():
            pages += [
                client.get(address)
                for asked in (CANARIES[key], number, code, number.lower())
                for address in (f"/desk/cases?text={asked}", f"/desk/records?text={asked}", f"/my/cases?text={asked}")
            ]
        told_of: tuple[set[str], set[str]] = (set(), set())
        for page in pages:
            found = read(page.get_data(as_text=True) if page.mimetype == "text/html" else "")
            links, words = " ".join(found.links), "".join(found.words)
            for key, (number, code) in birds.items():
                if f"cases/{number}" in links:
                    told_of[0].add(key)
                if f"湖南{CANARIES[key]}有限公司" in words or code in words.replace(f"查找：{code}", ""):
                    told_of[1].add(key)
        assert told_of == (cases, companies), who


def test_the_count_of_what_waits_is_of_what_one_sees(stage: Stage, birds: dict[str, tuple[str, str]]) -> None:
    from app.casework.inbox import tally
    from app.registry.working_days import office_calendar

    cast = stage.cast
    calendar = office_calendar()
    seen = {who: tally(cast.who(who), now(), calendar).all for who in ("liu", "li", "zhou", "shen", "deng", "linked")}
    assert seen["shen"] == seen["deng"] == seen["linked"] == 0
    waiting = db.session.execute(
        select(func.count()).where(Case.office_id == cast.offices["changsha"], Case.state == "submitted")
    ).scalar()
    db.session.rollback()
    assert seen["liu"] == waiting == 1


def test_a_search_with_wildcards_finds_only_what_says_so(stage: Stage) -> None:
    li = stage.client("li")
    for typed in ("%25", "_", "%25%25%25", "湖_岳衡", "湖%25流", "\\"):
        for listed in ("cases", "records"):
            page = li.get(f"/desk/{listed}?text={typed}").get_data(as_text=True)
            assert "湖南岳衡物流有限公司" not in page, (listed, typed)
    shen = stage.client("shen")
    assert "周敏" not in shen.get("/admin/users?q=%25").get_data(as_text=True)


# --- people who change -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["role ends", "account closed", "password reset", "mandate ends"])
def test_whoever_loses_a_part_loses_it_with_the_next_request(stage: Stage, what: str) -> None:
    cast = stage.cast
    who, page = ("deng", "/my/") if what == "mandate ends" else ("zhou", "/desk/")
    client = stage.client(who)
    number = stage.cases["accepted" if who == "zhou" else "correcting"]
    step = "review" if who == "zhou" else "resubmit"
    address = f"{page}cases/{number}/steps/{step}"
    asked = forms_on(client, who, address)[-1]
    yesterday = date(2026, 11, 23)
    with transaction():
        if what == "role ends":
            db.session.execute(
                update(Membership).where(Membership.user_id == cast.users[who]).values(valid_until=yesterday)
            )
        elif what == "mandate ends":
            db.session.execute(update(Mandate).where(Mandate.user_id == cast.users[who]).values(valid_until=yesterday))
        else:
            closed = what == "account closed"
            db.session.execute(
                update(User)
                .where(User.id == cast.users[who])
                .values(active=not closed, session_version=User.session_version + (not closed))
            )
    before = rows()
    answer = send(client, asked, asked.filled())
    assert answer.status_code == (401 if what in ("account closed", "password reset") else 403)
    assert rows() == before and client.get(page).status_code in (302, 403)


def test_a_cookie_of_ones_own_making_is_nobodys(stage: Stage) -> None:
    from flask.sessions import SecureCookieSessionInterface
    from itsdangerous import URLSafeTimedSerializer

    real = SecureCookieSessionInterface().get_signing_serializer(stage.app)
    assert real is not None
    told = {"_user_id": f"{stage.cast.users['shen']}.1", SIGNED_IN_AT: now().timestamp()}
    for key in ("", "secret", "dev", stage.app.config["INDEX_KEY"]):
        forged = URLSafeTimedSerializer(
            key, salt="cookie-session", serializer=real.serializer, signer_kwargs={"key_derivation": "hmac"}
        ).dumps(told)
        client = stage.client(None)
        client.set_cookie("jiannuo", forged)
        assert client.get("/admin/users").status_code == 302
    for identity in ("", "x", "²", ".", "1", "1.2", f"{stage.cast.users['shen']}.01", "999.1", "1.1.1"):
        client = stage.client(None)
        with client.session_transaction() as session:
            session.update(told | {"_user_id": identity})
        assert client.get("/admin/users").status_code in (302, 403), identity


def test_an_administrator_gives_themselves_nothing_and_what_they_give_is_journalled(stage: Stage) -> None:
    cast = stage.cast
    shen = stage.client("shen")
    own = cast.users["shen"]
    for tail in ("name", "password", "close", "roles/new", "mandates/new"):
        for asked in forms_on(shen, "shen", f"/admin/users/{own}/{tail}"):
            before = everything()
            more = {"role": "review", "office": str(cast.offices["province"])} if tail == "roles/new" else {}
            answer = send(shen, asked, asked.filled(**more))
            assert answer.status_code == 422 and "另一位管理员" in answer.get_data(as_text=True), tail
            assert everything() == before
    asked = forms_on(shen, "shen", f"/admin/users/{cast.users['nobody']}/roles/new")[0]
    more = {"role": "review", "office": str(cast.offices["province"]), "until": ""}
    assert send(shen, asked, asked.filled(**more)).status_code == 303
    line = db.session.execute(
        select(JournalLine.person, JournalLine.act, JournalLine.answers).where(
            JournalLine.about == "user", JournalLine.about_id == cast.users["nobody"]
        )
    ).one()
    db.session.rollback()
    assert (line.person, line.act, line.answers["role"]) == (own, "join", "审核员")


def test_the_administrator_of_a_city_sees_and_reaches_the_city_only(stage: Stage) -> None:
    cast = stage.cast
    with transaction():
        cast.users["city"] = db.session.execute(
            insert(User)
            .values(login="city", name="市管理员", password_hash="", active=True, session_version=1, failures=0)
            .returning(User.id)
        ).scalar_one()
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["city"], office_id=cast.offices["changsha"], role="administrator", valid_from=SINCE
            )
        )
    city = stage.client("city")
    listed = city.get("/admin/users").get_data(as_text=True)
    assert "刘波" in listed and "周敏" not in listed and "沈工" not in listed
    for user, status in (("liu", 200), ("zhou", 404), ("shen", 404), ("linked", 404)):
        for tail in ("", "/password", "/roles/new", "/close"):
            assert city.get(f"/admin/users/{cast.users[user]}{tail}").status_code == status, (user, tail)
    for office, status in (("changsha", 200), ("province", 404), ("ld-market", 404)):
        assert city.get(f"/admin/offices/{cast.offices[office]}").status_code == status, office
    assert city.get("/admin/calendar/add").status_code == 403
    asked = forms_on(city, "city", f"/admin/users/{cast.users['liu']}/roles/new")[0]
    assert asked.choices["office"] == ["", str(cast.offices["changsha"])]


def test_nobody_who_holds_only_a_check_code_learns_more_than_the_document_says(stage: Stage) -> None:
    done = stage.of("processing")
    page = "".join(read(stage.client(None).get(f"/verify/{done['code']}").get_data(as_text=True)).words)
    assert done["receipt"] not in page and "邓敏" not in page and "周敏" not in page and "陈立" not in page
    internal = db.session.execute(select(Document.code).where(Document.case_id.is_not(None))).scalars().all()
    db.session.rollback()
    assert len(set(internal)) == len(internal)
