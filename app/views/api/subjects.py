"""Credit files for programs: an organisation found by name, its file by code, in the range that the key opens.

Every question is counted against the key's quota of the day; a look into a file is journalled about its subject.
Natural persons are found by nothing here.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal

from flask import Response, abort
from flask_babel import gettext as _

from app.casework.keyset import Order, Page, page_of
from app.db import transaction
from app.journal import Doer
from app.notices.key_use import QuotaSpent, count_use
from app.problem import problem
from app.registry.codes import check_code, check_id_number
from app.registry.credit_file import Kept, NoSuchDay, Reader, credit_file, sections_for
from app.registry.credit_file_sections import SECTION
from app.registry.directory import PUBLIC, SHARED, entry_of
from app.registry.queries import write_query
from app.registry.regions import standings
from app.registry.search import SHORTEST, Place, find_names, key_of
from app.registry.subject import KIND_TITLES, find_by_code
from app.views.api.door import Visit, door, visit
from app.views.api.said import said
from app.views.api.subject_shapes import (
    CodePath,
    CodeSaid,
    FieldSaid,
    FileQuery,
    FileSaid,
    Records,
    RecordSaid,
    RecordsQuery,
    SearchQuery,
    SectionSaid,
    SharedFileQuery,
    SharedRecordsQuery,
    Subjects,
    SubjectSaid,
    WithdrawnSaid,
)
from app.views.public_search import is_private
from app.views.said import said as in_words
from workflows.calendar import day_start, legal_day

RANGES = {Reader.PUBLIC: PUBLIC, Reader.DEPARTMENT: SHARED}


@door("get", "/subjects", scope="files", title="按名称查主体", answers={200: Subjects})
def find_subjects(query: SearchQuery) -> Response:
    """只查企业、个体工商户、事业单位等组织，不查自然人；名称里不能有身份证号码、电话号码。每次查询计入当天的次数。"""
    if is_private(query.name):
        return problem(422, errors=[{"field": "name", "message": _("不能用身份证号码、电话号码查询。")}])
    if len(key_of(query.name)) < SHORTEST:
        return problem(422, errors=[{"field": "name", "message": _("请至少写两个字。")}])
    counted("searches")
    after = Place(*(int(part) for part in query.after.split("-"))) if query.after else None
    hits = find_names(query.name, after, query.limit)
    return said(
        Subjects(
            subjects=[
                SubjectSaid(
                    code=hit.code, name=hit.name, kind=hit.kind, kind_title=KIND_TITLES[hit.kind], region=hit.region
                )
                for hit in hits.rows
            ],
            next="-".join(map(str, hits.after)) if hits.after else "",
            more=hits.after is not None,
        )
    )


@door("get", "/subjects/<code>", scope="files", title="一个主体的信用档案", answers={200: FileSaid})
def read_file(path: CodePath, query: FileQuery) -> Response:
    """社会公开的范围，和公开页面一样；用过的代码也查得到。每次查询计入当天的次数，并记入该主体的查询日志。"""
    return _file(path.code, query.on, Reader.PUBLIC)


@door("get", "/subjects/<code>/records", scope="files", title="信用档案的一部分信息", answers={200: Records})
def list_records(path: CodePath, query: RecordsQuery) -> Response:
    """今天公示的一部分信息，可以一页一页取完；范围和整份档案一样。"""
    return _records(path.code, query, Reader.PUBLIC)


@door("get", "/shared/subjects/<code>", scope="shared", title="一个主体的信用档案（政务共享）", answers={200: FileSaid})
def read_shared_file(path: CodePath, query: SharedFileQuery) -> Response:
    """政务共享的范围：目录里标为“政务共享”的各项也在内，授权查询的不在。必须写明用途，用途和查询一起记入日志。"""
    return _file(path.code, query.on, Reader.DEPARTMENT, query.purpose)


@door(
    "get", "/shared/subjects/<code>/records", scope="shared", title="信用档案的一部分信息（政务共享）",
    answers={200: Records},
)  # fmt: skip
def list_shared_records(path: CodePath, query: SharedRecordsQuery) -> Response:
    """今天公示的一部分信息，政务共享的范围，可以一页一页取完。必须写明用途。"""
    return _records(path.code, query, Reader.DEPARTMENT, query.purpose)


def _file(code: str, on: date | None, reader: Reader, purpose: str = "") -> Response:
    asked, subject = _look(code, reader, purpose, day=on.isoformat() if on else "")
    try:
        file = credit_file(subject, reader, on)
    except NoSuchDay as no:
        return problem(422, errors=[{"field": "on", "message": _(str(no))}])
    whose = file.whose
    return said(
        FileSaid(
            asked=asked, code=whose.code, name=whose.name, kind=whose.kind, kind_title=KIND_TITLES[whose.kind],
            codes=[CodeSaid(code=one, since=since, until=until) for one, since, until in whose.codes],
            region=whose.region, representative=whose.representative, range=RANGES[reader], day=file.day,
            known_at=file.known_at,
            sections=[
                SectionSaid(
                    section=key, title=SECTION[key].title, count=file.count(key), note=SECTION[key].source,
                    records=[_said_of(record) for record in file.records.get(key, ())],
                )
                for key in sections_for(file)
            ],
            withdrawn=[
                WithdrawnSaid(number=one.number, office=one.office, on=one.on, reason=one.reason)
                for one in file.withdrawn
            ],
            ended_since=file.ended_since,
        )
    )  # fmt: skip


def _records(code: str, query: RecordsQuery, reader: Reader, purpose: str = "") -> Response:
    if query.after and Order(None, None, "day").read(query.after) is None:
        return problem(422, errors=[{"field": "after", "message": _("不是上一次的 next。")}])

    def page(rows: Any, day: Any, row_id: Any) -> Page[Any]:
        return page_of(rows, Order(day, row_id, "day", down=True), after=query.after, before=None, limit=query.limit)

    _asked, subject = _look(code, reader, purpose, section=query.section)
    file = credit_file(subject, reader, section=query.section, page=page)
    records = [_said_of(record) for record in file.records.get(query.section, ())]
    return said(Records(records=records, next=file.after or "", more=file.after is not None))


def _said_of(record: Kept) -> RecordSaid:
    entry = entry_of(record.directory)
    names = {field.code: field.name for field in entry.fields} if entry else {}
    return RecordSaid(
        record=record.public_id, directory=record.directory, title=record.title, number=record.number,
        office=record.office, recognised_on=record.recognised_on, cls=record.cls, shown_since=record.since,
        disputed_since=record.marked_since, minimum_last_day=record.minimum_last_day,
        maximum_last_day=record.maximum_last_day, never_repaired=record.never_repaired,
        fields=[
            FieldSaid(code=field, name=names.get(field, field), value=value) for field, value in record.values.items()
        ],
    )  # fmt: skip


def _look(code: str, reader: Reader, purpose: str, **what: str) -> tuple[str, int]:
    """The code and the subject that is meant, once the look has been counted and written down about the subject.

    Answers 404, 422 and 429 itself. An unknown code is counted too: nobody tries codes in their thousands.
    """
    came, verdict = visit(), check_code(code, standings())
    if not verdict.ok or check_id_number(code).ok:
        sentence = _("不能用身份证号码查询。") if check_id_number(code).ok else in_words(verdict.problems[0])
        abort(problem(422, errors=[{"field": "code", "message": sentence}]))
    found = find_by_code(verdict.code)
    asked = {"range": RANGES[reader], "key": came.holder.label, "purpose": purpose, **what}
    try:
        with transaction():
            count_use(came.holder, "looks", legal_day(came.at))
            if found is not None:
                write_query(found.id, _hand(came), came.at, asked)
    except QuotaSpent:
        abort(spent(came.at, came.holder.per_day))
    if found is None:
        abort(problem(404, _("没有这个代码的主体。")))
    return verdict.code, found.id


def _hand(came: Visit) -> Doer:
    """The person who answers for the key, in its department."""
    who = came.person
    role = min(str(role) for role, _office in who.memberships)
    return Doer(who.person, who.name, role, came.holder.office_id, address=who.address)


def counted(what: Literal["searches", "looks"]) -> None:
    """Count this question. Answers 429 itself once the quota of the day is spent."""
    came = visit()
    try:
        with transaction():
            count_use(came.holder, what, legal_day(came.at))
    except QuotaSpent:
        abort(spent(came.at, came.holder.per_day))


def spent(at: datetime, per_day: int) -> Response:
    """The quota of the day is spent; tomorrow there is another."""
    answer = problem(
        429, _("这把密钥今天查信用档案的 %(n)s 次已经用完，明天再查，或者请管理员另定。", n=per_day), code="QUOTA_DAY"
    )
    tomorrow = day_start(legal_day(at) + timedelta(days=1))
    answer.headers["Retry-After"] = str(int((tomorrow - at).total_seconds()) + 1)
    return answer
