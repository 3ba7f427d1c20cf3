"""Subjects as the interface tells them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.registry.search import LONGEST, SHORTEST
from app.views.api.query import Day, Limit, Line, Moment

MOST = 100
"""Organisations or records of one answer."""
Mark = Annotated[str, Field(title="上一次的 next；从头查时不写", pattern=r"^(\d-\d-\d{1,9})?$", max_length=13)]


class SearchQuery(BaseModel, extra="forbid"):
    """What to look for."""

    name: Line = Field(title="名称里连着的几个字，或者拼音首字母（至少三个）", min_length=SHORTEST, max_length=LONGEST)
    after: Mark = ""
    limit: Limit = Field(20, title="最多几家", ge=1, le=MOST)


class SubjectSaid(BaseModel):
    """An organisation that was found."""

    code: str = Field(title="现在的统一社会信用代码；没有时为空")
    name: str = Field(title="名称")
    kind: str = Field(title="主体类别代号")
    kind_title: str = Field(title="主体类别")
    region: str = Field(title="登记地的行政区划代码；不知道时为空")


class Subjects(BaseModel):
    """A page of organisations."""

    subjects: list[SubjectSaid] = Field(title="查到的，名称完全相同的在前，其次以它开头的，再次含有它的")
    next: str = Field(title="下一次的 after；没有下一页时为空")
    more: bool = Field(title="后面是否还有")


class CodePath(BaseModel):
    """Whose file."""

    code: Line = Field(title="统一社会信用代码，现在的或者以前用过的", max_length=64)


class FileQuery(BaseModel, extra="forbid"):
    """Of which day."""

    on: Day | None = Field(None, title="哪一天公示的内容；不写就是今天")


class RecordsQuery(BaseModel, extra="forbid"):
    """Which part of the file, from where on."""

    section: Literal["permits", "penalties", "lists", "other"] = Field(
        title="哪一部分：行政许可、行政处罚、严重失信主体名单、其他信息"
    )
    after: str = Field("", title="上一次的 next；从头查时不写", max_length=40)
    limit: Limit = Field(20, title="最多几条", ge=1, le=MOST)


class Purposed(BaseModel, extra="forbid"):
    """What the answer is for: it is written down with the look."""

    purpose: Line = Field(title="查询用途，办什么事要用，记入查询日志", min_length=2, max_length=100)


class SharedFileQuery(FileQuery, Purposed):
    """Of which day, and what for."""


class SharedRecordsQuery(RecordsQuery, Purposed):
    """Which part, from where on, and what for."""


class CodeSaid(BaseModel):
    """A code of the subject, from a day until a day."""

    code: str = Field(title="统一社会信用代码")
    since: date = Field(title="从哪天起")
    until: date | None = Field(title="到哪天为止；现在的没有")


class FieldSaid(BaseModel):
    """A field of a record as its directory has it."""

    code: str = Field(title="字段代码")
    name: str = Field(title="字段名称")
    value: str = Field(title="内容；自然人的姓名、号码已经遮盖")


class RecordSaid(BaseModel):
    """A record, as it was shown on the day."""

    record: str = Field(title="信息编号，公开页面是 /records/ 加上它")
    directory: str = Field(title="目录编码和版本")
    title: str = Field(title="事项")
    number: str = Field(title="文号")
    office: str = Field(title="认定单位")
    recognised_on: date = Field(title="认定日期")
    cls: str = Field(title="失信类别：轻微、一般、严重；不分类的为空")
    shown_since: date | None = Field(title="从哪天起公示")
    disputed_since: date | None = Field(title="从哪天起标注异议；没有标注时没有")
    minimum_last_day: date | None = Field(title="最短公示期的最后一天")
    maximum_last_day: date | None = Field(title="最长公示期的最后一天")
    never_repaired: bool = Field(title="是否依法不予修复")
    fields: list[FieldSaid] = Field(title="目录里的各项，只有这把密钥的范围看得到的")


class SectionSaid(BaseModel):
    """A section of the file."""

    section: str = Field(title="哪一部分的代号")
    title: str = Field(title="哪一部分")
    count: int = Field(title="一共几条")
    note: str = Field(title="数据从哪里来")
    records: list[RecordSaid] = Field(title="最近的十条；更多的用“一部分信息”那个地址接着取")


class WithdrawnSaid(BaseModel):
    """What was shown and has been withdrawn, because its penalty does not stand."""

    number: str = Field(title="文号")
    office: str = Field(title="认定单位")
    on: date = Field(title="从哪天起撤回")
    reason: str = Field(title="理由")


class FileSaid(BaseModel):
    """A credit file."""

    asked: str = Field(title="查询时用的代码")
    code: str = Field(title="那一天的代码")
    codes: list[CodeSaid] = Field(title="用过的全部代码")
    name: str = Field(title="名称")
    kind: str = Field(title="主体类别代号")
    kind_title: str = Field(title="主体类别")
    region: str = Field(title="登记地的行政区划代码；不知道时为空")
    representative: str = Field(title="法定代表人或者经营者，只有姓")
    range: str = Field(title="内容的范围：社会公开或者政务共享")
    day: date = Field(title="哪一天公示的内容")
    known_at: Moment = Field(title="按什么时刻掌握的情况")
    sections: list[SectionSaid] = Field(title="信用档案的各部分，没有信息的也列出")
    withdrawn: list[WithdrawnSaid] = Field(title="撤回并说明理由的")
    ended_since: int = Field(title="那一天在公示、现在已经终止公示因而不再列出的条数")


class Records(BaseModel):
    """Some records of a section."""

    records: list[RecordSaid] = Field(title="信息，新的在前")
    next: str = Field(title="下一次的 after；没有下一页时为空")
    more: bool = Field(title="后面是否还有")
