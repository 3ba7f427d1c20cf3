"""What is sent and answered about statements."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictInt, model_validator

from app.views.api.query import Day, IdempotencyKey, Limit, Moment, RowId

MOST = 100
MOST_LINES = 5000
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Period(BaseModel, extra="forbid"):
    """Which days, both included."""

    since: Day = Field(title="从哪一天起，按通知写好的日期（北京时间）")
    until: Day = Field(title="到哪一天止，含这一天，不晚于今天")


class DrawHeader(BaseModel):
    """Under which key a statement is drawn."""

    idempotency_key: IdempotencyKey


class StatementSaid(BaseModel):
    """A statement."""

    id: int = Field(title="对账单")
    number: str = Field(title="对账单编号")
    since: date = Field(title="从哪一天起")
    until: date = Field(title="到哪一天止")
    digest: str = Field(title="我们的摘要：对期间内没有跳过的通知，按通知编号排序，逐行“编号 空格 指纹 换行”取 SHA-256")
    state: Literal["drawn", "agreed", "differing", "settled"] = Field(
        title="drawn 已出具，agreed 相符，differing 有差异，settled 差异都已处理"
    )
    theirs: str = Field(title="贵单位最后一次答的摘要；没有答过时为空")
    answered_at: Moment | None = Field(title="最后一次答的时间")
    made_at: Moment = Field(title="出具时间")
    printed: bool = Field(title="签章的 PDF 是否已经可以下载")
    figures: dict[str, Any] = Field(title="各项合计")


class StatementsPage(BaseModel):
    """Some statements, the oldest first."""

    statements: list[StatementSaid] = Field(title="对账单，从早到晚")
    next: int = Field(title="下一次的 after")
    more: bool = Field(title="后面是否还有")


class StatementsQuery(BaseModel, extra="forbid"):
    """Which statements."""

    after: Limit = Field(0, title="从这里往后：上一次的 next", ge=0, le=2**31 - 1)
    limit: Limit = Field(50, title="最多几份", ge=1, le=MOST)


class StatementPath(BaseModel):
    """Which statement."""

    id: RowId = Field(title="对账单，列表里的 id")


class LineSaid(BaseModel):
    """A notice in our book."""

    notice: str = Field(title="通知编号")
    body: str = Field(title="正文的 SHA-256")
    subject: str = Field(title="统一社会信用代码；没有时是名称")
    seq: int = Field(title="对这个主体的第几份通知")
    act: str = Field(title="办理结果代号")
    written_at: str = Field(title="写好的时刻")
    state: Literal["waiting", "delivered", "dead", "skipped"] = Field(title="送达状态")
    delivered_at: str = Field(title="送达时刻；没有时为空")
    receipt: str = Field(title="最后一份回执的种类；没有时为空")
    receipt_at: str = Field(title="回执时刻；没有时为空")
    asked: bool = Field(title="是否要求确认")
    confirm_by: str = Field(title="确认期限；没有时为空")


class LinesPage(BaseModel):
    """Some lines of a statement."""

    lines: list[LineSaid] = Field(title="明细，按写好的先后")
    next: int = Field(title="下一次的 after")
    more: bool = Field(title="后面是否还有")


class LinesQuery(BaseModel, extra="forbid"):
    """Which lines."""

    after: Limit = Field(0, title="跳过前面多少行", ge=0, le=10_000_000)
    limit: Limit = Field(1000, title="最多多少行", ge=1, le=MOST_LINES)


class TheirLine(BaseModel, extra="forbid"):
    """A notice in the department's book."""

    notice: str = Field(title="通知编号", min_length=1, max_length=200)
    body: Digest = Field(title="收到的正文的 SHA-256")
    state: Literal["", "received", "done", "holds_nothing", "already_ended", "not_found", "refused"] = Field(
        "", title="办得怎样：received 已收到未办，其余与回执相同；不说时为空"
    )
    order: StrictInt | None = Field(None, title="在贵单位所有通知里第几个办理", ge=0, le=10**12 - 1)


class Answer(BaseModel, extra="forbid"):
    """A digest alone, or every line; with the lines the differences are named."""

    digest: Digest | None = Field(None, title="贵单位的摘要，与我们的算法相同")
    lines: list[TheirLine] | None = Field(None, title="贵单位的明细，一份通知一行", max_length=200_000)

    @model_validator(mode="after")
    def _one_of_them(self) -> Answer:
        if (self.digest is None) == (self.lines is None):
            raise ValueError("digest 和 lines 写一项，也只写一项。")
        return self


class DifferenceSaid(BaseModel):
    """One notice about which the books differ."""

    kind: Literal["missing", "extra", "changed", "stuck", "state", "order"] = Field(title="哪一种差异")
    notice: str = Field(title="通知编号")
    ours: str = Field(title="我们这边是什么")
    theirs: str = Field(title="贵单位那边是什么")
    other: str = Field(title="先后颠倒时：先办的那一份")


class Compared(BaseModel):
    """What came of an answer."""

    statement: int = Field(title="对账单")
    equal: bool = Field(title="摘要是否一致")
    state: Literal["agreed", "differing", "settled"] = Field(title="对账单现在的状态")
    differences: list[DifferenceSaid] = Field(title="差异，逐项；只答摘要时为空")
