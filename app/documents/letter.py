"""信用修复承诺书: the text the applicant signs, the public commitment without which nothing is repaired.

Plain text, a paragraph a line, so that the hash of what was read is the hash of what was signed. When a sentence of
`templates/documents/repair/letter.txt` changes, the edition changes with it; a test holds the two together.
"""

from __future__ import annotations

from datetime import date

from app.documents.freeze import environment

EDITION = "2026-11"
"""The edition of the sentences; stored with every letter."""


def carried_letter_text(
    *,
    code: str,
    case_number: str,
    subject: str,
    subject_code: str,
    record_number: str,
    record_organ: str,
    recognised_on: date,
    signed_at: str,
    their_code: str,
    scan: str,
    signer: str,
    capacity: str,
    consent: bool,
    on: date,
) -> str:
    """What is kept of a letter that was signed elsewhere: what it is about, who signed it where, and the original.

    `signed_at` is the place in words, `their_code` the code it has there, `scan` the SHA-256 of the scanned original;
    either may be empty. The rest is as in `letter_text`.
    """
    return (
        environment()
        .get_template("repair/letter_carried.txt")
        .render(
            code=code,
            case_number=case_number,
            subject=subject,
            subject_code=subject_code,
            record_number=record_number,
            record_organ=record_organ,
            recognised_on=recognised_on,
            signed_at=signed_at,
            their_code=their_code,
            scan=scan,
            signer=signer,
            capacity=capacity,
            consent=consent,
            on=on,
        )
    )


def letter_text(
    *,
    code: str,
    case_number: str,
    organ: str,
    subject: str,
    subject_code: str,
    is_person: bool,
    record_number: str,
    record_organ: str,
    recognised_on: date,
    signer: str,
    capacity: str,
    consent: bool,
    on: date,
) -> str:
    """The whole letter, ready to be shown, hashed and signed.

    `code` is the 20-character commitment code, empty while the letter is only being read; `subject_code` is empty for
    a natural person; `capacity` is the signer's in words (法定代表人); `consent`: the signer's name may be published;
    `on` is the civil day of signing.
    """
    return (
        environment()
        .get_template("repair/letter.txt")
        .render(
            code=code,
            case_number=case_number,
            organ=organ,
            subject=subject,
            subject_code="" if is_person else subject_code,
            me="本人" if is_person else "我单位",
            record_number=record_number,
            record_organ=record_organ,
            recognised_on=recognised_on,
            signer=signer,
            capacity=capacity,
            consent=consent,
            on=on,
        )
    )
