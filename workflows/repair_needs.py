"""The conditions of a credit repair, each with its article. `ELIGIBLE` is the law's table of who may apply now."""

from __future__ import annotations

from datetime import date

from workflows.calendar import legal_day
from workflows.grammar import DUTY_OUTSTANDING, DUTY_PERFORMED, HOLDS, UNMET, Ask, Need, Refusal
from workflows.law import rule
from workflows.people import CARRIED

LAW = "NDRC36 3"


def _no(code: str, text: str, law: str = LAW, **values: object) -> tuple[Refusal]:
    return (Refusal(UNMET, text, values, law, code),)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day.year}年{day.month}月{day.day}日"


def last_day_of_minimum(ask: Ask) -> date | None:
    """The last day on which the record must still be shown; holding periods do not roll to a working day."""
    return ask.facts.record.minimum_last_day if ask.facts.record else None


def t0_day(ask: Ask) -> date | None:
    """Day zero of the whole case: the day 信用中国 or a window received it; for an early filing the day of release."""
    stated = (ask.answers or {}).get("t0")
    return date.fromisoformat(stated) if stated else None


def repairable_by_law(ask: Ask) -> tuple[Refusal, ...]:
    """Repair is open unless a law, a regulation or a document of the Party centre or State Council excludes it."""
    record = ask.facts.record
    if record and record.excluded_by:
        text = "依照{basis}，这条信息不予修复。对处罚本身有异议的，可以依法申请行政复议或者提起行政诉讼。"
        return _no("NOT_REPAIRABLE_BY_LAW", text, "NDRC36 2", basis=record.excluded_by)
    return HOLDS


def not_banned(ask: Ask) -> tuple[Refusal, ...]:
    """Nobody inside a ban for false material may apply; an application made before the ban is decided as it stands."""
    if not ask.facts.bans:
        return HOLDS
    text = "因{cause}，到{until}为止不受理修复申请，次日起可以申请。"
    made = ask.facts.last("submit", "release")
    applied_on = legal_day(made.at) if made else ask.today
    found: tuple[Refusal, ...] = HOLDS
    for ban in ask.facts.bans:
        if ban.since <= applied_on <= ban.until:
            found += _no("BANNED_UNTIL", text, "NDRC36", cause=ban.cause, until=_day(ban.until))
    return found


def still_shown(ask: Ask) -> tuple[Refusal, ...]:
    """There is something to repair: the record is still published or shared, and the penalty stands."""
    record = ask.facts.record
    if record is None:
        return HOLDS
    if record.annulled_on is not None:
        text = "这项处罚已于{day}被撤销，信息依法撤回，不需要修复。"
        return _no("ANNULLED", text, "XZCF 48", day=_day(record.annulled_on))
    if record.status != "published":
        reason = {
            "ended": "公示已经终止",
            "repaired": "已经修复",
            "withdrawn": "信息已经撤回",
            "unpublished": "这条信息不公示，不影响信用",
        }[record.status]
        return _no("NOTHING_TO_REPAIR", "{reason}，不用修复。", reason=reason)
    return HOLDS


def penalty_stands(ask: Ask) -> tuple[Refusal, ...]:
    """Nothing is decided on an annulled penalty: the case is superseded and the information withdrawn."""
    record = ask.facts.record
    if record and record.annulled_on is not None:
        text = "这项处罚已于{day}被撤销，本件应当终止办理，不能再办理“{step}”。"
        return _no("ANNULLED", text, "XZCF 48", day=_day(record.annulled_on), step=ask.step.title)
    return HOLDS


def no_other_case(ask: Ask) -> tuple[Refusal, ...]:
    """One open case for a record."""
    record = ask.facts.record
    if record and record.other_open_case:
        text = "这条信息已经在办理修复（{number}），请在“我的办件”里查看进度。"
        return _no("DUPLICATE", text, "D", number=record.other_open_case)
    return HOLDS


def classed(ask: Ask) -> tuple[Refusal, ...]:
    """A record must be classed before its minimum is known; the rules before 2026-04-01 gave periods, not classes."""
    record = ask.facts.record
    if record and not record.cls and record.maximum_last_day is None:
        text = "这条信息的失信类别还没有确定，算不出最短公示期。请联系认定单位，类别确定后即可申请。"
        return _no("UNCLASSED", text, "NDRC36")
    return HOLDS


def minimum_passed(ask: Ask) -> tuple[Refusal, ...]:
    """The minimum period has passed; a minor (轻微) record need not wait."""
    record = ask.facts.record
    if record and record.minimum_last_day is not None and ask.today <= record.minimum_last_day:
        text = "最短公示期到{day}届满，届满后的次日起可以申请。"
        return _no("MIN_PERIOD_NOT_MET", text, LAW, day=_day(record.minimum_last_day))
    return HOLDS


def duty_not_outstanding(ask: Ask) -> tuple[Refusal, ...]:
    """Our own systems do not say that a duty of the penalty is still open."""
    record = ask.facts.record
    if record and record.duty == DUTY_OUTSTANDING:
        text = "处罚的义务还没有全部履行：{note}。履行完毕后即可申请。"
        return _no("DUTY_NOT_PERFORMED", text, LAW, note=record.duty_note or "请向认定单位核实")
    return HOLDS


def sector_condition(ask: Ask) -> tuple[Refusal, ...]:
    """Conditions of a law, administrative regulation or department rule; local rules cannot add any."""
    record = ask.facts.record
    if record and record.sector_condition:
        return _no("SECTOR_CONDITION", "还须符合：{condition}。", LAW, condition=record.sector_condition)
    return HOLDS


def persons_included(ask: Ask) -> tuple[Refusal, ...]:
    """Whether natural persons may apply is a row of the law files."""
    record = ask.facts.record
    if record and record.of_a_person and rule("repair.natural_persons").on(ask.today).value != "allowed":
        return _no("PERSONS_EXCLUDED", "自然人的失信信息现在不适用信用修复。", "NDRC36")
    return HOLDS


LASTING: tuple[Need, ...] = (repairable_by_law, persons_included, not_banned, still_shown, no_other_case, classed)
"""What waiting does not cure."""

OTHERWISE: tuple[Need, ...] = (*LASTING, duty_not_outstanding, sector_condition)
"""Everything but the minimum period."""


ELIGIBLE: tuple[Need, ...] = (*OTHERWISE, minimum_passed)
"""Every condition for applying today."""


def early(ask: Ask) -> tuple[Refusal, ...]:
    """Early filings are kept at all, and the minimum period has not passed yet: there is something to wait for."""
    if rule("repair.early_filing").on(ask.today).value != "allowed":
        return _no("EARLY_CLOSED", "现在不预收申请，请在最短公示期届满后的次日起提交。", "D")
    if not minimum_passed(ask):
        return _no("NOT_EARLY", "最短公示期已满，请直接提交申请。", "D")
    return HOLDS


def letter_signed(ask: Ask) -> tuple[Refusal, ...]:
    """A public credit commitment has been made for this record."""
    if "letter" not in ask.facts.papers:
        return _no("COMMITMENT_MISSING", "还没有签署信用修复承诺书。")
    return HOLDS


def proof_given(ask: Ask) -> tuple[Refusal, ...]:
    """Proof that the duties are performed, unless our own systems have it."""
    record = ask.facts.record
    if record and record.duty != DUTY_PERFORMED and "duty_proof" not in ask.facts.papers:
        return _no("PROOF_MISSING", "还缺 1 份：纠正失信行为、履行处罚义务的证明材料。")
    return HOLDS


def working_day(ask: Ask) -> tuple[Refusal, ...]:
    """Today is a working day."""
    reason = ask.facts.calendar.reason(ask.today)
    if not reason.working:
        following = ask.facts.calendar.next_working(ask.today)
        text = "今天是{why}，不是工作日，{day}自动转入受理。"
        return _no("REST_DAY", text, "D", why=reason.name, day=_day(following))
    return HOLDS


def no_new_offence(ask: Ask) -> tuple[Refusal, ...]:
    """Something new recorded while the filing was held stops the watch; it is no ground to refuse, so a person who has
    looked into it and says so may release."""
    if ask.actor.person is not None and (ask.answers is None or ask.answers.get("note")):
        return HOLDS
    filed = ask.facts.last("submit_early")
    since = legal_day(filed.at) if filed else None
    text = "预收期间又有新的失信信息（{number}，{day}），须由受理员核实，写明核实情况后转入受理。"
    found: tuple[Refusal, ...] = HOLDS
    for day, number in ask.facts.offences:
        if since is not None and day >= since:
            found += _no("NEW_OFFENCE", text, "D", number=number, day=_day(day))
    return found


def not_received(ask: Ask) -> tuple[Refusal, ...]:
    """A filing released from the early desk has been received by that."""
    if "release" in ask.facts.counts:
        return _no("RELEASED", "本件由预收转入，转入之日就是收到之日，不用再签收。", "D")
    return HOLDS


def t0_plausible(ask: Ask) -> tuple[Refusal, ...]:
    """T0 lies between the day of filing and today; what a carrier brings was received elsewhere before it was filed
    here, but after the record was made."""
    stated = (ask.answers or {}).get("t0")
    if not stated:
        return HOLDS
    try:
        day = date.fromisoformat(stated)
    except (TypeError, ValueError):
        return _no("T0_UNREADABLE", "“{stated}”不是日期，请按“2026-04-01”的样子写明收到的日期。", "SC22", stated=stated)
    if day > ask.today:
        return _no("T0_FUTURE", "信用中国或者窗口收到的日期不能晚于今天。", "SC22")
    record = ask.facts.record
    if ask.facts.case.channel in CARRIED:
        if record and day < record.recognised_on:
            text = "收到的日期不能早于认定这条信息的日期（{day}）。"
            return _no("T0_EARLY", text, "SC22", day=_day(record.recognised_on))
        return HOLDS
    filed = ask.facts.last("submit")
    first = legal_day(filed.at) if filed else day
    if day < first:
        return _no("T0_EARLY", "收到的日期不能早于申请人提交的日期（{day}）。", "SC22", day=_day(first))
    return HOLDS


def received(ask: Ask) -> tuple[Refusal, ...]:
    """The office has received the filing: signed for it, or released it from the early desk, or is still holding it."""
    counts = ask.facts.counts
    if ask.facts.case.state != "held" and "receive" not in counts and "release" not in counts:
        return _no("NOT_RECEIVED", "请先签收：签收后受理期限才开始计算。", "SC22")
    return HOLDS


def acceptance_in_time(ask: Ask) -> tuple[Refusal, ...]:
    """Gaps are told within the limit for accepting; afterwards it is for us to accept or to decline."""
    accept = ask.facts.deadline("accept")
    if accept is not None and accept.ran_out(ask.today):
        text = "受理期限已于{day}届满，不能再要求补正；请受理，或者不予受理并说明理由。"
        return _no("TOO_LATE", text, "XZXK 32", day=_day(accept.due_on))
    return HOLDS


def first_time_or_justified(ask: Ask) -> tuple[Refusal, ...]:
    """All gaps are told at once; a second notice needs a recorded justification."""
    if "correct" in ask.facts.counts and ask.answers is not None and not ask.answers.get("justification"):
        text = "补正内容应当一次性告知。再次告知须写明上一次为什么没有告知，并记录在案。"
        return _no("TOLD_ONCE", text, "XZXK 32")
    return HOLDS


def heard(ask: Ask) -> tuple[Refusal, ...]:
    """After a warning of false material nothing is decided before the subject has spoken or the time for it has passed.

    What the subject said is weighed by the reviewer first: an opinion given before it does not carry a decision.
    """
    if "warn" not in ask.facts.counts:
        return HOLDS
    if "state_views" in ask.facts.counts:
        if ask.step.code != "review" and _said_since_the_opinion(ask):
            text = "审核意见提出以后申请人又陈述申辩，请退回审核员重新考虑。"
            return _no("VIEWS_NOT_WEIGHED", text, "HNPROC 5")
        return HOLDS
    hearing = ask.facts.deadline("hearing")
    if hearing is not None and not hearing.ran_out(ask.today):
        text = "已告知拟认定，申请人的陈述申辩期限到{day}届满；期满或者收到陈述申辩以前不能作出决定。"
        return _no("NOT_HEARD", text, "HNPROC 5", day=_day(hearing.due_on))
    return HOLDS


def _said_since_the_opinion(ask: Ask) -> bool:
    latest = ask.facts.last("state_views", "review")
    return latest is not None and latest.step == "state_views"


def opinion_founded(ask: Ask) -> tuple[Refusal, ...]:
    """An opinion that the material is false rests on a warning given before."""
    if (ask.answers or {}).get("opinion") == "false" and "warn" not in ask.facts.counts:
        text = "建议认定虚假以前，须先告知拟认定并听取陈述申辩。"
        return _no("NOT_WARNED", text, "HNPROC 5")
    return HOLDS


def opinion_is(expected: str) -> Need:
    """The reviewer's last opinion is the one this decision follows; who disagrees sends it back."""
    titles = {"grant": "建议准予修复", "refuse": "建议不予修复", "false": "建议认定虚假"}

    def need(ask: Ask) -> tuple[Refusal, ...]:
        line = ask.facts.last("review")
        given = str(line.answers.get("opinion", "")) if line else ""
        if given != expected:
            text = "审核意见是“{given}”。不同意审核意见的，请退回重审。"
            return _no("OTHER_OPINION", text, "D", given=titles.get(given, "没有"))
        return HOLDS

    return need


def documents_ready(kind: str) -> Need:
    """The document has been printed and signed."""

    def need(ask: Ask) -> tuple[Refusal, ...]:
        if kind not in ask.facts.printed:
            title = ask.workflow.documents[kind]
            return _no("NOT_PRINTED", "{title}正在排印签章，约一分钟后再办。", "D", title=title)
        return HOLDS

    return need


def served_plausible(ask: Ask) -> tuple[Refusal, ...]:
    """A decision was handed over between the day it was made and today: from that day the time to contest it runs."""
    stated = (ask.answers or {}).get("served_on")
    if not stated:
        return HOLDS
    try:
        day = date.fromisoformat(stated)
    except (TypeError, ValueError):
        text = "“{stated}”不是日期，请按“2026-04-01”的样子写明送达的日期。"
        return _no("SERVED_UNREADABLE", text, "SC22", stated=stated)
    decided = ask.facts.last("confirm")
    if day > ask.today:
        return _no("SERVED_FUTURE", "送达的日期不能晚于今天。", "SC22")
    if decided is not None and day < legal_day(decided.at):
        text = "送达的日期不能早于作出决定的日期（{day}）。"
        return _no("SERVED_EARLY", text, "SC22", day=_day(legal_day(decided.at)))
    return HOLDS


def task_open(ask: Ask) -> tuple[Refusal, ...]:
    """The named task exists and is still to do."""
    open_tasks = {task.code for task in ask.facts.tasks if not task.done}
    if ask.item and ask.item not in open_tasks:
        return _no("NO_TASK", "这一事项已经办完，或者不是本件的事项。", "D")
    if not open_tasks:
        return _no("NO_TASK", "没有需要办理的信息处理事项。", "D")
    return HOLDS


def decision_served(ask: Ask) -> tuple[Refusal, ...]:
    """The decision has been placed in the portal or handed over."""
    if "serve" not in ask.facts.counts:
        return _no("NOT_SERVED", "决定书还没有送达。", "SC22")
    return HOLDS


def nothing_left_to_do(ask: Ask) -> tuple[Refusal, ...]:
    """What our own systems and people owe is done."""
    left = [task.title for task in ask.facts.tasks if not task.done]
    if left:
        return _no("TASKS_OPEN", "还有 {n} 项没有办完：{tasks}。", LAW, n=len(left), tasks="、".join(left))
    return HOLDS


def result_handed_in(ask: Ask) -> tuple[Refusal, ...]:
    """The result has been handed in for 信用中国."""
    if "hand_over" not in ask.facts.counts:
        return _no("NOT_HANDED_IN", "修复结果还没有反馈信用中国。", "SC22")
    return HOLDS


def annulled(ask: Ask) -> tuple[Refusal, ...]:
    """The penalty behind the record has been annulled."""
    record = ask.facts.record
    if record is None or record.annulled_on is None:
        return _no("NOT_ANNULLED", "处罚没有被撤销、变更或者确认违法。", "XZCF 48")
    return HOLDS
