"""What an office's documents say of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app.casework.actor import Person
from app.db import db
from app.documents.glyphs import named, unseen
from app.models import Office
from app.office_book.base import NotDone, change, note, the_office


def edit_office(
    actor: Person,
    office_id: int,
    *,
    word: str,
    review_body: str,
    review_address: str,
    phone: str,
    address: str,
    at: datetime,
) -> None:
    """代字, 复议机关 and where it is reached online, telephone, address; what was issued stays. Raises NotDone."""
    office = the_office(actor, office_id)
    fresh = {
        "word": word,
        "review_body": review_body,
        "review_address": review_address,
        "phone": phone,
        "address": address,
    }
    changed = {name: value for name, value in fresh.items() if getattr(office, name) != value}
    if not changed:
        raise NotDone("没有改动。")
    for name, was, said in (("代字", office.word, word), ("复议机关", office.review_body, review_body)):
        if was and not said:
            raise NotDone("{name}正在使用，不能清空：清空以后这个机构不能再出具文书。要换请直接填新的。", name=name)
    for said, face in ((word, "title"), (review_body, "text"), (phone, "text"), (address, "text")):
        if strange := unseen(said, face):
            raise NotDone("“{said}”里有印不出来的字：{what}。", said=said, what="、".join(map(named, strange)))
    if word and word != office.word:
        taken = select(Office.name).where(Office.word == word, Office.id != office_id)
        if other := db.session.execute(taken).scalar():
            raise NotDone("代字“{word}”是{office}的；两家用同一个代字，文号会重复。", word=word, office=other)
    change(Office, office_id, **changed)
    answers = {"from": {name: getattr(office, name) for name in changed}, "to": changed}
    note("office", office_id, "edit", actor, at, answers)
