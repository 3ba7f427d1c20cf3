"""A case in every state, each reached by walking under a moved clock, none left to lapse overnight.

Days are counted back from the day of planting in working days, so that the inbox shows limits that are far, near, today
and past whenever the demonstration is planted.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import insert, select

from app.casework.actor import Person, load_person
from app.casework.annul import annul_record
from app.casework.attach import attach
from app.casework.letter import sign_letter
from app.casework.open_case import open_filing
from app.casework.repair_particulars import save as save_particulars
from app.casework.take_step import take_step
from app.db import db, transaction
from app.duty import clock, post, press
from app.models import Case, Measure
from app.now import moved_to, now
from app.registry.enter import Standing, enter_penalty
from app.seeds import intake, mandates, sharing
from app.seeds.cast import CHANGSHA, DEPARTMENT, SUBJECTS
from app.seeds.invent import organ_code
from app.seeds.plant import Planted
from workflows.calendar import Calendar, day_start, legal_day
from workflows.repair import REPAIR

CALENDAR = Calendar()
OFFICE = {DEPARTMENT: ("湖南省交通运输厅", "湘交罚", "430000"), CHANGSHA: ("长沙市交通运输局", "湘长交罚", "430100")}
TEAM = {
    DEPARTMENT: {"accept": "lihao", "review": "zhoumin", "confirm": "chenli", "process": "helan", "head": "tangwen"},
    CHANGSHA: {
        "accept": "pengshan",
        "review": "ouyangchen",
        "confirm": "yifan",
        "process": "wenjing",
        "head": "tanfeng",
    },
}
FILER = {"yueheng": "dengmin", "longname": "dengmin", "zhaomei": "hechuan", "lulan": "chengyuan", "yuanlu": "pengdahai",
         "zhaoyu": "tanjing", "langyan": "gongyan"}  # fmt: skip
WRONGS = {
    "overload": ("超限运输", "车货总质量超过限载标准，擅自行驶公路", "《公路安全保护条例》第六十四条"),
    "records": ("未按规定保存运输记录", "未按规定保存道路运输动态监控记录", "《道路运输车辆动态监督管理办法》"),
    "licence": ("未取得许可从事经营", "未取得道路运输经营许可，擅自从事经营", "《道路运输条例》第六十三条"),
    "safety": (
        "施工现场安全防护不到位",
        "施工现场临边防护缺失，经责令限期改正逾期未改正",
        "《公路水运工程安全生产监督管理办法》",
    ),
}
ITEMS = [
    {"name": "缴款凭证", "problem": "票据上看不清处罚决定书文号", "remedy": "重新拍照，文号须清楚"},
    {"name": "整改证明", "problem": "没有写明整改完成的日期", "remedy": "补写完成日期并加盖公章"},
]  # fmt: skip


@dataclass
class Teller:
    """Tells one story: a record of a subject, the case about it, and the days on which things happen."""

    planted: Planted
    today: date
    moment: datetime
    serial: int = 300

    def back(self, working_days: int, hour: int = 10, minute: int = 0) -> datetime:
        """An hour of the day that many working days before today; never later than this moment."""
        day = self.today
        while working_days > 0 or not CALENDAR.is_working(day):
            day -= timedelta(days=1)
            working_days -= CALENDAR.is_working(day)
        return min(day_start(day) + timedelta(hours=hour, minutes=minute), self.moment)

    def person(self, login: str) -> Person:
        """Somebody of the cast, with what they hold on the day of the story."""
        found = load_person(self.planted.users[login], legal_day(now()))
        db.session.rollback()
        assert found is not None
        return found

    def penalty(
        self, subject: str, office: str, on: date, wrong: str = "overload", kinds: str = "罚款", yuan: str = "3.00",
        **standing: Any,
    ) -> int:  # fmt: skip
        """A penalty of a subject of the cast."""
        self.serial += 7
        name, prefix, region = OFFICE[office]
        invented = SUBJECTS[subject]
        title, facts, basis = WRONGS[wrong]
        fine = "罚款" in kinds
        row = {
            "CF_XDR_MC": invented.name,
            "CF_XDR_LB": "个体工商户" if invented.kind == "sole_trader" else "法人及非法人组织",
            "CF_XDR_SHXYM": invented.code,
            "CF_FRDB": invented.legal_representative,
            "CF_WSH": f"{prefix}〔{on.year}〕{self.serial}号",
            "CF_WFXW": title,
            "CF_SY": facts,
            "CF_YJ": basis,
            "CF_CFLB": kinds,
            "CF_NR": f"罚款人民币 {yuan} 万元" if fine else kinds,
            "CF_NR_FK": yuan if fine else "",
            "CF_JDRQ": on.isoformat(),
            "CF_YXQ": "2099/12/31",
            "CF_CFJG": name,
            "CF_CFJGDM": organ_code(region),
            "CF_SJLY": name,
            "CF_SJLYDM": organ_code(region),
        }
        standing.setdefault("fine_size", "较大")
        standing.setdefault("duty", "performed")
        standing.setdefault("duty_note", "罚款已缴清（系统已核对）" if standing["duty"] == "performed" else "")
        recorded = min(day_start(on) + timedelta(days=1, hours=9), self.moment)
        with moved_to(recorded), transaction():
            record = enter_penalty(
                self.planted.subjects[subject], self.planted.offices[office], row, Standing(**standing), recorded
            )
        return record

    def file(self, subject: str, record: int, at: datetime, step: str = "submit", proof: bool = False) -> str:
        """Open a case about a record, sign its letter, and hand it in by `step` (nothing: it stays a draft)."""
        login = FILER[subject]
        with moved_to(at):
            filer = self.person(login)
            with transaction():
                _receipt, opened = open_filing(
                    self.planted.subjects[subject], [record], actor=filer, channel="own_portal",
                    key=secrets.token_urlsafe(12), at=now(),
                )  # fmt: skip
            number = opened[0].number
            with transaction():
                save_particulars(
                    number, actor=filer, statement="违法行为已经纠正，处罚义务已全部履行，申请停止公示。",
                    contact=filer.name, phone="0731-0000-0000", at=now(),
                )  # fmt: skip
            if proof:
                with transaction():
                    attach(
                        number, actor=filer, purpose="duty_proof", name="缴款凭证（演示·无效）.png", data=demo_proof(),
                        folder=current_app.config["INSTANCE"] / "uploads", limit=current_app.config["MAX_UPLOAD"],
                        at=now(),
                    )  # fmt: skip
            if not step:
                return number
            with transaction():
                sign_letter(number, actor=filer, at=now())
        self.step(number, login, step, at)
        return number

    def step(self, number: str, login: str, step: str, at: datetime, item: str = "", **answers: Any) -> None:
        """One step by one person at an instant."""
        with moved_to(at):
            who = self.person(login)
            version = db.session.execute(select(Case.version).where(Case.number == number)).scalar_one()
            db.session.rollback()
            with transaction():
                take_step(
                    number, step, actor=who, answers=answers, key=secrets.token_urlsafe(12), seen_version=version,
                    at=now(), item=item,
                )  # fmt: skip
            if REPAIR.step[step].tells:
                post.turn()

    def receive(self, number: str, office: str, at: datetime) -> None:
        """The acceptance desk signs for it the day it came."""
        self.step(number, TEAM[office]["accept"], "receive", at, t0=legal_day(at).isoformat())

    def accepted(self, subject: str, record: int, office: str, days: int) -> str:
        """A case that was filed `days` working days ago and accepted the working day after."""
        number = self.file(subject, record, self.back(days, 9, 20))
        self.receive(number, office, self.back(days, 10, 5))
        self.step(number, TEAM[office]["accept"], "accept", self.back(days - 1, 11, 20))
        return number

    def reviewed(self, subject: str, record: int, office: str, days: int, opinion: str, finding: str) -> str:
        """The same, reviewed two working days after it was filed."""
        number = self.accepted(subject, record, office, days)
        self.step(
            number, TEAM[office]["review"], "review", self.back(days - 2, 15, 5), opinion=opinion, finding=finding
        )
        return number


def tell(planted: Planted) -> None:
    """Every story once."""
    at = now()
    teller = Teller(planted, legal_day(at), at)
    sharing.agree(teller)
    _told_to_the_end(teller)
    sharing.connect(teller)
    told_live = _under_way(teller)
    _of_changsha(teller)
    _records_without_a_case(teller)
    sharing.share(teller, told_live)
    mandates.ask_to_act(teller, demo_proof())
    intake.send_a_sheet(teller)
    clock.turn()


def _months_ago(teller: Teller, months: int, days: int = 0) -> date:
    return teller.today - timedelta(days=round(months * 30.5) + days)


def _told_to_the_end(t: Teller) -> None:
    """One case in each end. The closed one first: it is printed on the way, which shows that the press works."""
    grant = "罚款已缴清，违法行为已纠正，符合修复条件。"
    record = t.penalty("yueheng", DEPARTMENT, _months_ago(t, 7), yuan="2.00")
    with transaction():
        db.session.execute(
            insert(Measure).values(
                record_id=record, kind="列为重点监管对象", organ="湖南省交通运输厅", basis="信用分级分类监管",
                ours=True, since=_months_ago(t, 6),
            )
        )  # fmt: skip
    number = t.reviewed("yueheng", record, DEPARTMENT, 9, "grant", grant)
    t.step(number, "chenli", "confirm", t.back(6, 10, 36))
    with moved_to(t.back(6, 10, 40)):
        press.turn()
    t.step(number, "helan", "serve", t.back(6, 11, 0), manner="portal")
    t.step(number, "helan", "hand_over", t.back(5, 9, 14), manner="信用中国账号上传", other_number="XYZG-0000001")
    t.step(number, "helan", "do_task", t.back(5, 9, 40), item="regrade", outcome="信用评价 B，不变")
    t.step(number, "helan", "do_task", t.back(5, 9, 50), item="own_pages", outcome="已核对，均已停止公示")
    with moved_to(t.back(5, 9, 55)):
        clock.turn()

    refused = t.reviewed("lulan", t.penalty("lulan", DEPARTMENT, _months_ago(t, 8), "safety"), DEPARTMENT, 8, "refuse",
                         "整改报告与现场不符，仍有两处临边防护缺失。")  # fmt: skip
    t.step(refused, "chenli", "refuse", t.back(5, 16, 0), reason="整改没有完成：仍有两处临边防护缺失。",
           cure="整改完成并取得复查合格证明后即可再次申请。")  # fmt: skip

    doubtful = t.penalty("langyan", DEPARTMENT, _months_ago(t, 9), duty="unknown")
    false = t.file("langyan", doubtful, t.back(14, 9, 0), proof=True)
    t.receive(false, DEPARTMENT, t.back(14, 10, 0))
    t.step(false, "lihao", "accept", t.back(13, 9, 30))
    t.step(false, "zhoumin", "warn", t.back(12, 9, 30), facts="提交的缴款凭证与财政票据系统记载不一致。")
    t.step(false, "gongyan", "state_views", t.back(10, 14, 0), statement="凭证由代办人提供，我单位未核对。")
    t.step(
        false,
        "zhoumin",
        "review",
        t.back(9, 10, 0),
        opinion="false",
        finding="缴款凭证系伪造，申请人未能作出合理说明。",
    )
    t.step(false, "chenli", "refuse_false", t.back(8, 10, 0), reason="提交伪造的缴款凭证。")

    declined = t.file("zhaomei", t.penalty("zhaomei", DEPARTMENT, _months_ago(t, 5)), t.back(6, 9, 0))
    t.receive(declined, DEPARTMENT, t.back(6, 9, 30))
    t.step(declined, "lihao", "decline", t.back(4, 9, 30), ground="DUTY_NOT_PERFORMED",
           reason="加处罚款 0.30 万元尚未缴纳。")  # fmt: skip

    transferred = t.file("zhaomei", t.penalty("zhaomei", DEPARTMENT, _months_ago(t, 6)), t.back(5, 9, 0))
    t.receive(transferred, DEPARTMENT, t.back(5, 9, 30))
    t.step(transferred, "lihao", "transfer", t.back(4, 15, 0), to="岳阳市交通运输局",
           reason="处罚决定由岳阳市交通运输局作出，谁认定、谁修复。")  # fmt: skip

    withdrawn = t.file("yuanlu", t.penalty("yuanlu", DEPARTMENT, _months_ago(t, 6)), t.back(4, 9, 0))
    t.step(withdrawn, "pengdahai", "withdraw", t.back(3, 9, 0))

    lapsed = t.file("zhaoyu", t.penalty("zhaoyu", DEPARTMENT, _months_ago(t, 10)), t.back(20, 9, 0))
    t.receive(lapsed, DEPARTMENT, t.back(20, 10, 0))
    t.step(lapsed, "lihao", "correct", t.back(19, 10, 0), items=ITEMS)
    with moved_to(t.back(7, 8, 0)):
        clock.turn()

    record = t.penalty("zhaoyu", DEPARTMENT, _months_ago(t, 11), "records")
    t.accepted("zhaoyu", record, DEPARTMENT, 6)
    with moved_to(t.back(3, 9, 0)), transaction():
        head = t.person("tangwen")
        annul_record(record, actor=head, reason="行政复议决定撤销原处罚", day=legal_day(now()), at=now())
    with moved_to(t.back(3, 9, 5)):
        clock.turn()
        post.turn()


def _under_way(t: Teller) -> str:
    """Open cases of the department, with limits far, near, today and past; returns the one decided yesterday."""
    m = _months_ago
    t.file(
        "yueheng", t.penalty("yueheng", DEPARTMENT, m(t, 4), "records", yuan="0.50", duty="unknown"), t.back(0, 9), ""
    )
    t.file(
        "yueheng", t.penalty("yueheng", DEPARTMENT, m(t, 5), yuan="1.20", duty="unknown"), t.back(0, 8, 40), proof=True
    )
    near = t.file("longname", t.penalty("longname", DEPARTMENT, m(t, 6)), t.back(1, 9, 0))
    t.receive(near, DEPARTMENT, t.back(1, 9, 30))
    today = t.file("zhaomei", t.penalty("zhaomei", DEPARTMENT, m(t, 7)), t.back(3, 9, 0))
    t.receive(today, DEPARTMENT, t.back(3, 9, 30))
    late = t.file("lulan", t.penalty("lulan", DEPARTMENT, m(t, 8), "records"), t.back(15, 9, 0))
    t.receive(late, DEPARTMENT, t.back(15, 9, 30))
    t.file("yueheng", t.penalty("yueheng", DEPARTMENT, m(t, 1, 20), yuan="4.00"), t.back(2, 10, 0), "submit_early")
    correcting = t.file("yuanlu", t.penalty("yuanlu", DEPARTMENT, m(t, 9), duty="unknown"), t.back(3, 9, 0), proof=True)
    t.receive(correcting, DEPARTMENT, t.back(3, 10, 0))
    t.step(correcting, "lihao", "correct", t.back(1, 10, 0), items=ITEMS)
    t.accepted("yueheng", t.penalty("yueheng", DEPARTMENT, m(t, 6), "licence", yuan="3.00"), DEPARTMENT, 3)
    extended = t.accepted("longname", t.penalty("longname", DEPARTMENT, m(t, 12), yuan="8.00"), DEPARTMENT, 7)
    t.step(extended, "tangwen", "extend", t.back(2, 15, 0), reason="须向外省核实车辆转让情况。")
    warned = t.accepted("zhaoyu", t.penalty("zhaoyu", DEPARTMENT, m(t, 8)), DEPARTMENT, 5)
    t.step(warned, "zhoumin", "warn", t.back(2, 10, 0), facts="整改证明上的印章与备案印章不一致。")
    t.reviewed("zhaomei", t.penalty("zhaomei", DEPARTMENT, m(t, 10), yuan="2.60"), DEPARTMENT, 4, "grant",
               "罚款已缴清，符合修复条件，建议准予。")  # fmt: skip
    processing = t.reviewed("lulan", t.penalty("lulan", DEPARTMENT, m(t, 13), "safety", yuan="5.00"), DEPARTMENT, 5,
                            "grant", "整改已复查合格，建议准予。")  # fmt: skip
    t.step(processing, "chenli", "confirm", t.back(1, 15, 36))
    return processing


def _of_changsha(t: Teller) -> None:
    """A second office, so that nobody sees what is not theirs."""
    m = _months_ago
    first = t.file("zhaomei", t.penalty("zhaomei", CHANGSHA, m(t, 5), yuan="0.80"), t.back(2, 9, 0))
    t.receive(first, CHANGSHA, t.back(2, 9, 40))
    t.accepted("yueheng", t.penalty("yueheng", CHANGSHA, m(t, 7), yuan="1.50"), CHANGSHA, 4)
    t.reviewed(
        "longname", t.penalty("longname", CHANGSHA, m(t, 8), yuan="2.20"), CHANGSHA, 5, "grant", "符合修复条件。"
    )


def _records_without_a_case(t: Teller) -> None:
    """What the pre-check shows: repairable now, waiting, not now, not needed."""
    m = _months_ago
    t.penalty("yueheng", DEPARTMENT, m(t, 6, 6), yuan="3.00")
    t.penalty("yueheng", DEPARTMENT, m(t, 1, 5), "records", yuan="1.00")
    t.penalty("yueheng", DEPARTMENT, m(t, 15), "safety", "责令停产停业", duty="outstanding",
              duty_note="罚款还有 2.00 万元未缴清", fine_size=None)  # fmt: skip
    t.penalty("yueheng", DEPARTMENT, m(t, 2), "records", "警告", procedure="simple", fine_size=None)
    t.penalty("zhaomei", DEPARTMENT, m(t, 4, 3), yuan="0.60", duty="unknown")
    t.penalty("yuanlu", DEPARTMENT, m(t, 4, 9), yuan="0.20")
    t.penalty("yuanlu", DEPARTMENT, m(t, 3, 4), "records", yuan="0.40", fine_size=None)


def demo_proof() -> bytes:
    """A picture that plays a receipt: grey lines, no words, plainly not one."""
    import io

    from PIL import Image, ImageDraw

    image = Image.new("RGB", (640, 420), "#f7f5ef")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 619, 399), outline="#a62b1f", width=4)
    for y in range(80, 360, 40):
        draw.line((60, y, 580, y), fill="#d9ddd6", width=3)
    draw.line((20, 399, 619, 20), fill="#a62b1f", width=6)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
