"""The conditions of a credit repair, each with its article. `eligible` is the law's table of who may apply now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from workflows.calendar import legal_day
from workflows.grammar import DUTY_OUTSTANDING, DUTY_PERFORMED, UNMET, Ask, Need, Refusal

LAW = "NDRC36 3"


def _no(code: str, text: str, law: str = LAW, **values: object) -> Refusal:
    return Refusal(UNMET, text, values, law, code)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day.year}年{day.month}月{day.day}日"


def last_day_of_minimum(ask: Ask) -> date | None:
    """The last day on which the record must still be shown; holding periods do not roll to a working day."""
    return ask.facts.record.minimum_last_day if ask.facts.record else None


def t0_day(ask: Ask) -> date | None:
    """Day zero of the whole case: the day 信用中国 or a window received it; for an early filing the day of release."""
    stated = (ask.answers or {}).get("t0")
    return date.fromisoformat(stated) if stated else None


def repairable_by_law(ask: Ask) -> Iterator[Refusal]:
    """Repair is open unless a law, a regulation or a document of the Party centre or State Council excludes it."""
    record = ask.facts.record
    if record and record.excluded_by:
        text = "依照{basis}，这条信息不予修复。对处罚本身有异议的，可以依法申请行政复议或者提起行政诉讼。"
        yield _no("NOT_REPAIRABLE_BY_LAW", text, "NDRC36 2", basis=record.excluded_by)


def not_banned(ask: Ask) -> Iterator[Refusal]:
    """Nobody inside a ban for false material may apply."""
    for ban in ask.facts.bans:
        if ban.since <= ask.today <= ban.until:
            text = "因{cause}，{until}以前不受理修复申请；次日起可以申请。"
            yield _no("BANNED_UNTIL", text, "NDRC36", cause=ban.cause, until=_day(ban.until))


def still_shown(ask: Ask) -> Iterator[Refusal]:
    """There is something to repair: the record is still published or shared, and the penalty stands."""
    record = ask.facts.record
    if record is None:
        return
    if record.annulled_on is not None:
        text = "这项处罚已于{day}被撤销，信息应当撤回，不需要修复。"
        yield _no("ANNULLED", text, "XZCF 48", day=_day(record.annulled_on))
    elif record.status != "published":
        reason = {
            "ended": "公示已经终止",
            "repaired": "已经修复",
            "withdrawn": "信息已经撤回",
            "unpublished": "这条信息不公示，不影响信用",
        }[record.status]
        yield _no("NOTHING_TO_REPAIR", "{reason}，不用修复。", reason=reason)


def no_other_case(ask: Ask) -> Iterator[Refusal]:
    """One open case for a record."""
    record = ask.facts.record
    if record and record.other_open_case:
        text = "这条信息已经在办理修复（{number}），请在“我的办件”里查看进度。"
        yield _no("DUPLICATE", text, "D", number=record.other_open_case)


def classed(ask: Ask) -> Iterator[Refusal]:
    """A record must be classed before its minimum period is known; the rules before 2026-04-01 gave periods, not classes."""
    record = ask.facts.record
    if record and not record.cls and record.maximum_last_day is None:
        text = "这条信息的失信类别还没有确定，算不出最短公示期。请联系认定单位，类别确定后即可申请。"
        yield _no("UNCLASSED", text, "NDRC36")


def minimum_passed(ask: Ask) -> Iterator[Refusal]:
    """The minimum period has passed; a minor (轻微) record need not wait."""
    record = ask.facts.record
    if record and record.minimum_last_day is not None and ask.today <= record.minimum_last_day:
        text = "最短公示期到{day}届满，届满后的次日起可以申请。"
        yield _no("MIN_PERIOD_NOT_MET", text, LAW, day=_day(record.minimum_last_day))


def duty_not_outstanding(ask: Ask) -> Iterator[Refusal]:
    """Our own systems do not say that a duty of the penalty is still open."""
    record = ask.facts.record
    if record and record.duty == DUTY_OUTSTANDING:
        text = "处罚的义务还没有全部履行：{note}。履行完毕后即可申请。"
        yield _no("DUTY_NOT_PERFORMED", text, LAW, note=record.duty_note or "请向认定单位核实")


def sector_condition(ask: Ask) -> Iterator[Refusal]:
    """Conditions of a law, administrative regulation or department rule; local rules cannot add any."""
    record = ask.facts.record
    if record and record.sector_condition:
        yield _no("SECTOR_CONDITION", "还须符合：{condition}。", LAW, condition=record.sector_condition)


LASTING: tuple[Need, ...] = (repairable_by_law, not_banned, still_shown, no_other_case, classed)
"""What waiting does not cure."""

OTHERWISE: tuple[Need, ...] = (*LASTING, duty_not_outstanding, sector_condition)
"""Everything but the minimum period."""


def eligible(ask: Ask) -> Iterator[Refusal]:
    """Every condition for applying today holds."""
    for need in (*OTHERWISE, minimum_passed):
        yield from need(ask)


def only_waiting(ask: Ask) -> Iterator[Refusal]:
    """Everything holds but the minimum period, so that an early filing can be kept until it has passed."""
    for need in OTHERWISE:
        yield from need(ask)
    if not tuple(minimum_passed(ask)):
        yield _no("NOT_EARLY", "最短公示期已满，请直接提交申请。", "D")



def may_begin(ask: Ask) -> Iterator[Refusal]:
    """A draft may be begun for a record that can be repaired now or after its minimum period."""
    for need in OTHERWISE:
        yield from need(ask)


def letter_signed(ask: Ask) -> Iterator[Refusal]:
    """A public credit commitment has been made for this record."""
    if "letter" not in ask.facts.papers:
        yield _no("COMMITMENT_MISSING", "还没有签署信用修复承诺书。")


def proof_given(ask: Ask) -> Iterator[Refusal]:
    """Proof that the duties are performed, unless our own systems have it."""
    record = ask.facts.record
    if record and record.duty != DUTY_PERFORMED and "duty_proof" not in ask.facts.papers:
        yield _no("PROOF_MISSING", "还缺 1 份：纠正失信行为、履行处罚义务的证明材料。")


def working_day(ask: Ask) -> Iterator[Refusal]:
    """Today is a working day."""
    reason = ask.facts.calendar.reason(ask.today)
    if not reason.working:
        following = ask.facts.calendar.next_working(ask.today)
        yield _no("REST_DAY", "今天是{why}，不是工作日，{day}自动转入受理。", "D", why=reason.name, day=_day(following))


def no_new_offence(ask: Ask) -> Iterator[Refusal]:
    """Nothing new was recorded against the subject while the filing was held."""
    filed = ask.facts.last("submit_early")
    since = legal_day(filed.at) if filed else None
    for day, number in ask.facts.offences:
        if since is not None and day >= since:
            text = "预收期间又有新的失信信息（{number}，{day}），须由受理员核实后处理。"
            yield _no("NEW_OFFENCE", text, "D", number=number, day=_day(day))


def not_received(ask: Ask) -> Iterator[Refusal]:
    """A filing released from the early desk has been received by that."""
    if "release" in ask.facts.counts:
        yield _no("RELEASED", "本件由预收转入，转入之日就是收到之日，不用再签收。", "D")


def t0_plausible(ask: Ask) -> Iterator[Refusal]:
    """T0 lies between the day of filing and today."""
    stated = (ask.answers or {}).get("t0")
    if not stated:
        return
    try:
        day = date.fromisoformat(stated)
    except (TypeError, ValueError):
        yield _no("T0_UNREADABLE", "“{stated}”不是日期，请按“2026-04-01”的样子写明收到的日期。", "SC22", stated=stated)
        return
    filed = ask.facts.last("submit")
    first = legal_day(filed.at) if filed else day
    if day > ask.today:
        yield _no("T0_FUTURE", "信用中国或者窗口收到的日期不能晚于今天。", "SC22")
    elif day < first:
        yield _no("T0_EARLY", "收到的日期不能早于申请人提交的日期（{day}）。", "SC22", day=_day(first))


def received(ask: Ask) -> Iterator[Refusal]:
    """The office has received the filing: signed for it, or released it from the early desk, or is still holding it."""
    counts = ask.facts.counts
    if ask.facts.case.state != "held" and "receive" not in counts and "release" not in counts:
        yield _no("NOT_RECEIVED", "请先签收：签收后受理期限才开始计算。", "SC22")


def first_time_or_justified(ask: Ask) -> Iterator[Refusal]:
    """All gaps are told at once; a second notice needs a recorded justification."""
    if "correct" in ask.facts.counts and ask.answers is not None and not ask.answers.get("justification"):
        text = "补正内容应当一次性告知。再次告知须写明上一次为什么没有告知，并记录在案。"
        yield _no("TOLD_ONCE", text, "XZXK 32")


def heard(ask: Ask) -> Iterator[Refusal]:
    """After a warning of false material nothing is decided before the subject has spoken or the time for it has passed.

    What the subject said is weighed by the reviewer first: an opinion given before it does not carry a decision.
    """
    if "warn" not in ask.facts.counts:
        return
    if "state_views" in ask.facts.counts:
        if ask.step.code != "review" and _said_since_the_opinion(ask):
            text = "审核意见提出以后申请人又陈述申辩，请退回审核员重新考虑。"
            yield _no("VIEWS_NOT_WEIGHED", text, "HNPROC 5")
        return
    hearing = ask.facts.deadline("hearing")
    if hearing is not None and not hearing.ran_out(ask.today):
        text = "已告知拟认定，申请人的陈述申辩期限到{day}届满；期满或者收到陈述申辩以前不能作出决定。"
        yield _no("NOT_HEARD", text, "HNPROC 5", day=_day(hearing.due_on))


def _said_since_the_opinion(ask: Ask) -> bool:
    latest = ask.facts.last("state_views", "review")
    return latest is not None and latest.step == "state_views"


def opinion_founded(ask: Ask) -> Iterator[Refusal]:
    """An opinion that the material is false rests on a warning given before."""
    if (ask.answers or {}).get("opinion") == "false" and "warn" not in ask.facts.counts:
        text = "建议认定虚假以前，须先告知拟认定并听取陈述申辩。"
        yield _no("NOT_WARNED", text, "HNPROC 5")


def opinion_is(expected: str) -> Need:
    """The reviewer's last opinion is the one this decision follows; who disagrees sends it back."""
    titles = {"grant": "建议准予修复", "refuse": "建议不予修复", "false": "建议认定虚假"}

    def need(ask: Ask) -> Iterator[Refusal]:
        line = ask.facts.last("review")
        given = str(line.answers.get("opinion", "")) if line else ""
        if given != expected:
            text = "审核意见是“{given}”。不同意审核意见的，请退回重审。"
            yield _no("OTHER_OPINION", text, "D", given=titles.get(given, "没有"))

    return need


def documents_ready(kind: str) -> Need:
    """The document has been printed and signed."""

    def need(ask: Ask) -> Iterator[Refusal]:
        if kind not in ask.facts.printed:
            title = ask.workflow.documents[kind]
            yield _no("NOT_PRINTED", "{title}正在排印签章，约一分钟后再办。", "D", title=title)

    return need


def task_open(ask: Ask) -> Iterator[Refusal]:
    """The named task exists and is still to do."""
    open_tasks = {task.code for task in ask.facts.tasks if not task.done}
    if ask.item and ask.item not in open_tasks:
        yield _no("NO_TASK", "这一事项已经办完，或者不是本件的事项。", "D")
    elif not open_tasks:
        yield _no("NO_TASK", "没有需要办理的信息处理事项。", "D")


def decision_served(ask: Ask) -> Iterator[Refusal]:
    """The decision has been placed in the portal or handed over."""
    if "serve" not in ask.facts.counts:
        yield _no("NOT_SERVED", "决定书还没有送达。", "SC22")


def nothing_left_to_do(ask: Ask) -> Iterator[Refusal]:
    """What our own systems and people owe is done."""
    left = [task.title for task in ask.facts.tasks if not task.done]
    if left:
        yield _no("TASKS_OPEN", "还有 {n} 项没有办完：{tasks}。", LAW, n=len(left), tasks="、".join(left))


def result_handed_in(ask: Ask) -> Iterator[Refusal]:
    """The result has been handed in for 信用中国."""
    if "hand_over" not in ask.facts.counts:
        yield _no("NOT_HANDED_IN", "修复结果还没有反馈信用中国。", "SC22")


def annulled(ask: Ask) -> Iterator[Refusal]:
    """The penalty behind the record has been annulled."""
    record = ask.facts.record
    if record is None or record.annulled_on is None:
        yield _no("NOT_ANNULLED", "处罚没有被撤销、变更或者确认违法。", "XZCF 48")
