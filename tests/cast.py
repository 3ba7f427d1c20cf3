"""The people of the stories: an enterprise and its clerk, the officers of two offices, an outsider, the receivers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import insert

from app.casework.actor import Person, load_person
from app.db import db, transaction
from app.models import Identifier, Mandate, Membership, Office, Subject, User
from app.now import now
from app.registry.codes import complete_code
from app.registry.enter import Standing, enter_penalty
from workflows.calendar import legal_day

PASSWORD = "correct horse battery staple"
OFFICERS = {
    "li": ("李昊", "acceptance"),
    "zhou": ("周敏", "review"),
    "chen": ("陈立", "confirmation"),
    "he": ("贺岚", "processing"),
    "tang": ("唐文", "head"),
    "jiang": ("蒋律", "legal"),
    "shen": ("沈工", "administrator"),
}
SINCE = date(2020, 1, 1)


@dataclass
class Cast:
    """Ids by name. `who("li")` is the person as of the story's day."""

    offices: dict[str, int] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    serial: int = 0

    def who(self, name: str) -> Person:
        """The person with the roles and mandates they hold today."""
        person = load_person(self.users[name], legal_day(now()), "127.0.0.1")
        db.session.rollback()
        assert person is not None
        return person

    def penalty(
        self,
        of: str = "yueheng",
        on: str = "2026-05-18",
        kinds: str = "罚款",
        office: str = "province",
        **standing: Any,
    ) -> int:
        """A penalty of a subject, recognised on a day and entered the day after; returns the record's id."""
        self.serial += 1
        values = {
            "CF_XDR_MC": "湖南岳衡物流有限公司",
            "CF_XDR_LB": "法人及非法人组织",
            "CF_XDR_SHXYM": self.codes[of],
            "CF_FRDB": "罗建平",
            "CF_WSH": f"湘交罚〔{on[:4]}〕{self.serial}号",
            "CF_WFXW": "超限运输",
            "CF_SY": "擅自超限行驶公路",
            "CF_YJ": "《公路安全保护条例》第六十四条",
            "CF_CFLB": kinds,
            "CF_NR": "罚款人民币叁万元整" if "罚款" in kinds else kinds,
            "CF_NR_FK": "3.000000" if "罚款" in kinds else "",
            "CF_NR_WFFF": "",
            "CF_NR_ZKDX": "道路运输经营许可证 430100000001" if "吊销" in kinds or "暂扣" in kinds else "",
            "CF_JDRQ": on,
            "CF_YXQ": "2099/12/31",
            "CF_GSJZQ": "2029/12/31",
            "CF_CFJG": "湖南省交通运输厅",
            "CF_CFJGDM": self.codes["office"],
            "CF_SJLY": "湖南省交通运输厅",
            "CF_SJLYDM": self.codes["office"],
        }
        standing.setdefault("fine_size", "较大")
        standing.setdefault("duty", "performed")
        with transaction():
            return enter_penalty(self.subjects[of], self.offices[office], values, Standing(**standing), now())


def assemble() -> Cast:
    """Put the cast on the stage, by plain inserts."""
    cast = Cast()
    with transaction():
        for key, code, name, parent, word, body in (
            ("province", "jt-430000", "湖南省交通运输厅", None, "湘交", "湖南省人民政府"),
            ("changsha", "jt-430100", "长沙市交通运输局", "province", "长交", "长沙市人民政府"),
        ):
            cast.offices[key] = _office(cast, code, name, "organ", parent, word, body, "")
        for code, name, receives in (
            ("ld-creditchina", "国家公共信用信息中心（信用中国）", "credit_china"),
            ("ld-hunan", "信用中国（湖南）", "province"),
            ("ld-market", "湖南省市场监督管理局", "linked"),
            ("ld-trading", "湖南省公共资源交易中心", "linked"),
        ):
            cast.offices[code] = _office(cast, code, name, "linked", None, "", "", receives)
        cast.codes["office"] = complete_code("1143000000000010")
        for key, name, first16 in (
            ("yueheng", "湖南岳衡物流有限公司", "91430100MA7X3K2Q"),
            ("other", "湖南衡岳运输有限公司", "91430100MA7X3K3R"),
        ):
            cast.codes[key] = complete_code(first16)
            cast.subjects[key] = _id(
                Subject, kind="enterprise", name=name, legal_representative="罗建平", region="430100"
            )
            _id(Identifier, subject_id=cast.subjects[key], kind="uscc", value=cast.codes[key], valid_from=SINCE)
        for key, (name, role) in OFFICERS.items():
            cast.users[key] = _user(key, name)
            _id(Membership, user_id=cast.users[key], office_id=cast.offices["province"], role=role, valid_from=SINCE)
        for key, name, office, role in (
            ("liu", "刘波", "changsha", "acceptance"),
            ("wu", "吴倩", "changsha", "review"),
        ):
            cast.users[key] = _user(key, name)
            _id(Membership, user_id=cast.users[key], office_id=cast.offices[office], role=role, valid_from=SINCE)
        for key, name, subject, capacity in (
            ("luo", "罗建平", "yueheng", "legal_representative"),
            ("deng", "邓敏", "yueheng", "clerk"),
            ("wang", "王强", "other", "clerk"),
        ):
            cast.users[key] = _user(key, name)
            _id(
                Mandate,
                user_id=cast.users[key],
                subject_id=cast.subjects[subject],
                capacity=capacity,
                evidence="授权委托书",
                valid_from=SINCE,
            )
    return cast


def _office(
    cast: Cast, code: str, name: str, kind: str, parent: str | None, word: str, body: str, receives: str
) -> int:
    parent_id = cast.offices[parent] if parent else None
    above = db.session.get(Office, parent_id).path if parent_id else "/"
    office_id = _id(
        Office,
        code=code,
        name=name,
        short=name,
        kind=kind,
        parent_id=parent_id,
        path=f"{code}",
        region="430000",
        word=word,
        review_body=body,
        receives=receives,
        listens_since=SINCE if receives else None,
        phone="0731-0000-0000",
        address="",
    )
    db.session.execute(Office.__table__.update().where(Office.id == office_id).values(path=f"{above}{office_id}/"))
    return office_id


def _user(login: str, name: str) -> int:
    return _id(User, login=login, name=name, password_hash="", active=True, session_version=1, failures=0)


def _id(model: Any, **values: Any) -> int:
    return int(db.session.execute(insert(model.__table__).values(**values).returning(model.id)).scalar_one())
