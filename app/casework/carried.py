"""What a carrier brings: an application as 信用中国 or a hall window has taken it from the applicant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Named:
    """A record as the carrier names it: by our public id, or by 文号, the day of its decision and the organ.

    Without an id the number must be there; day and organ (name or code) narrow it where several records share it.
    """

    public_id: str = ""
    number: str = ""
    decided_on: date | None = None
    organ: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A file with the name it came with."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """信用修复承诺书 as it was signed elsewhere: who signed, as what, when; its code there, or the scan, or both.

    `name_public` is whether the signer agreed to be named when the letter is published.
    """

    signer: str
    capacity: str
    signed_on: date
    code: str = ""
    scan: Paper | None = None
    name_public: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """One application: the carrier's own number for it, T0, who applies, for which records, with what papers.

    `received_on` is the civil day on which 信用中国 or the window received it. The subject is named by `code`, or, a
    natural person, by `id_number`; `name` must be theirs. `subject` is our own id, where the carrier has chosen it on
    a page of this house and neither number need be said.
    """

    number: str
    received_on: date
    name: str
    records: tuple[Named, ...]
    letter: Letter
    code: str = ""
    id_number: str = ""
    subject: int | None = None
    statement: str = ""
    contact: str = ""
    phone: str = ""
    proofs: tuple[Paper, ...] = ()
