"""What whoever holds a paper of ours may know of it, and the words for how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app.documents.freeze import day

VALID, WITHDRAWN, REPLACED, OVERTAKEN = "valid", "withdrawn", "replaced", "overtaken"
REMEDY = "申请行政复议"
"""Words that stand in the text of every document which tells a remedy."""


@dataclass(frozen=True, slots=True)
class Event:
    """A thing that happened to the document, for the public."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who was told of the outcome, and whether they have confirmed that it is done. More is nobody's business
    who only holds the document."""

    name: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the public may know of a document and how it stands today.

    `status` is VALID, WITHDRAWN, REPLACED or OVERTAKEN (genuine, but something has happened to the matter since),
    `headline` its word and `sentence` what it means. A natural person is never named: `party` then says so and
    `party_code` is empty. `contestable` says whether the text tells a remedy and `review_address` where one applies for
    it online today; `told` names those for whom a notice was written with it and says who has confirmed, none for a
    document that concerns only its party.
    """

    document_id: int
    code: str
    kind: str
    title: str
    number: str
    organ: str
    issued_on: date
    party: str
    party_code: str
    record: str
    result: str
    case_state: str
    status: str
    headline: str
    sentence: str
    signed: bool
    pdf_sha256: str
    demo: bool
    contestable: bool
    review_address: str
    told: tuple[Told, ...]
    events: tuple[Event, ...]


def became(later: Any) -> str:
    """What a publication fact that came after a paper did to its record, as part of a sentence."""
    on = day(later.effective_on)
    match later.deed:
        case "withdraw":
            return _("所依据的处罚不再成立，该信息已于%(day)s撤回", day=on)
        case "repair":
            return _("该信息已于%(day)s修复，不再公示", day=on)
        case "end":
            return _("该信息已于%(day)s终止公示", day=on)
        case _:
            return _("该信息已于%(day)s恢复公示", day=on)
