"""What is sent and answered about cases."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from app.views.api.query import Limit, Moment

MOST = 200


class CaseSaid(BaseModel):
    """A case in a list."""

    number: str = Field(title="办件编号")
    type: str = Field(title="办件类型代号")
    title: str = Field(title="办件类型")
    state: str = Field(title="状态代号")
    state_title: str = Field(title="状态")
    final: bool = Field(title="是否已经结束")
    version: int = Field(title="版本，办理时写进 If-Match")
    office: str = Field(title="办理单位代号")
    channel: str = Field(title="来件渠道")
    subject: str = Field(title="信用主体名称")
    uscc: str = Field(title="统一社会信用代码；没有时为空")
    record: str = Field(title="信息编号")
    record_no: str = Field(title="文号")
    filed_at: Moment = Field(title="提交时间")
    state_since: Moment = Field(title="到达现在状态的时间")
    t0: Moment | None = Field(title="信用中国或者窗口收到")
    t1: Moment | None = Field(title="本单位收到")
    t2: Moment | None = Field(title="受理")
    t3: Moment | None = Field(title="决定")


class DueSaid(BaseModel):
    """A time-limit."""

    clock: str = Field(title="期限代号")
    title: str = Field(title="期限")
    item: str = Field(title="属于哪一项；没有时为空")
    state: str = Field(title="running 计算中，paused 中止，met 已完成，ended 已终止")
    due_on: date | None = Field(title="届满日")
    overdue: bool = Field(title="是否已经超期")
    provisional: bool = Field(title="届满日是否可能随放假通知变动")


class Reason(BaseModel):
    """Why a step cannot be taken."""

    code: str = Field(title="条件代号")
    detail: str = Field(title="理由")
    law: str = Field(title="依据")


class StepSaid(BaseModel):
    """A step that leads on from here."""

    step: str = Field(title="步骤代号")
    title: str = Field(title="步骤")
    item: str = Field(title="要指明的是什么；空表示不用指明")
    law: str = Field(title="依据")
    allowed: bool = Field(title="现在能不能办")
    refusals: list[Reason] = Field(title="不能办的理由")


class TaskSaid(BaseModel):
    """One of the things a step is taken for."""

    item: str = Field(title="事项代号，写进 item")
    title: str = Field(title="事项")
    done: bool = Field(title="是否已经办理")


class DocumentSaid(BaseModel):
    """A document that was issued."""

    kind: str = Field(title="文书种类代号")
    title: str = Field(title="文书")
    number: str = Field(title="文号")
    code: str = Field(title="查验码")
    issued_at: Moment = Field(title="出具时间")
    withdrawn: bool = Field(title="是否已经撤回")


class CasesPage(BaseModel):
    """Some cases, in the order in which they were handed in."""

    cases: list[CaseSaid] = Field(title="办件，按提交时间")
    next: str = Field(title="下一次的 after；没有新办件时与这一次相同")
    more: bool = Field(title="后面是否还有")


class WholeCase(CaseSaid):
    """One case."""

    deadlines: list[DueSaid] = Field(title="期限")
    steps: list[StepSaid] = Field(title="从现在的状态可以办的步骤")
    tasks: list[TaskSaid] = Field(title="要逐项办理的事项")
    documents: list[DocumentSaid] = Field(title="已经出具的文书")


class CasesQuery(BaseModel, extra="forbid"):
    """Which cases."""

    state: str = Field("", title="只要这个状态", pattern="^[a-z_]{0,32}$")
    after: str = Field("", title="从这里往后：上一次的 next", max_length=64)
    limit: Limit = Field(50, title="最多几件", ge=1, le=MOST)


class CasePath(BaseModel):
    """Which case."""

    number: str = Field(title="办件编号", max_length=32)
