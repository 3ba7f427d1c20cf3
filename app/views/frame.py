"""What every page's frame shows: the sponsor, whether data are invented, today, and who stands here for whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flask import Flask, current_app, request
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from app.casework.actor import Person
from app.casework.sight import departments_of, issues_statements, looks_after_intake, looks_after_sharing
from app.db import db
from app.models import Subject
from app.now import now
from app.office_book.mandate_decisions import confirms_mandates
from app.security import acting_department, acting_subject, home_of, person
from app.views.texts import day
from workflows.calendar import legal_day
from workflows.people import Role


@dataclass(frozen=True, slots=True)
class SubjectName:
    """A subject one may act for."""

    id: int
    name: str


@dataclass
class Frame:
    """Read by the layouts; what costs a statement is asked only when a layout shows it."""

    who: Person | None
    sponsor: str
    demo: bool
    hotline: str = "0731-0000-0000"

    @property
    def person(self) -> str:
        """The signed-in person's name."""
        return self.who.name if self.who else ""

    @property
    def roles_text(self) -> str:
        """The roles held, in words."""
        if self.who is None:
            return ""
        return _("、").join(_(role.title) for role in sorted(self.who.roles, key=list(Role).index))

    @property
    def office(self) -> str:
        """The offices of the signed-in officer."""
        return "、".join(name for _id, name in self.who.offices) if self.who else ""

    @property
    def at_window(self) -> bool:
        """Whether this person takes in applications at a hall window."""
        return bool(self.who and any(one.channel == "hall" for one in self.who.carries))

    @property
    def administrator(self) -> bool:
        """Whether the administrator's counter is open to this person."""
        return bool(self.who and self.who.roles & {Role.ADMINISTRATOR, Role.LEGAL})

    @property
    def confirms_mandates(self) -> bool:
        """Whether requests to act for somebody come before this person."""
        return self.who is not None and confirms_mandates(self.who)

    @property
    def looks_after_sharing(self) -> bool:
        """Whether the board of what others are told is this person's."""
        return self.who is not None and looks_after_sharing(self.who)

    @property
    def looks_after_intake(self) -> bool:
        """Whether files of records are this person's."""
        return self.who is not None and looks_after_intake(self.who)

    @cached_property
    def issues_statements(self) -> bool:
        """Whether this person may see and draw statements."""
        return self.who is not None and issues_statements(self.who)

    @property
    def home(self) -> str:
        """The address of the counter at which this person begins; empty for nobody."""
        return home_of(self.who) if self.who else ""

    @property
    def today_text(self) -> str:
        """Today in Shanghai."""
        return day(legal_day(now()))

    @cached_property
    def subjects(self) -> list[SubjectName]:
        """The subjects this person may act for."""
        if self.who is None or not self.who.mandates:
            return []
        rows = db.session.execute(
            select(Subject.id, Subject.name).where(Subject.id.in_(sorted(self.who.mandates))).order_by(Subject.id)
        ).all()
        return [SubjectName(row.id, row.name) for row in rows]

    @property
    def departments(self) -> list[SubjectName]:
        """The linked departments this person may act for, the one they act for now first."""
        acting = acting_department()
        mine = departments_of(self.who) if self.who else frozenset()
        found = [SubjectName(id, name) for id, name in (self.who.offices if self.who else ()) if id in mine]
        return sorted(found, key=lambda office: (office.id != acting, office.id))

    @property
    def acting_for(self) -> SubjectName | None:
        """The subject this person acts for now."""
        if self.who is None or not self.who.mandates:
            return None
        chosen = acting_subject()
        return next((subject for subject in self.subjects if subject.id == chosen), None)


def init_frame(app: Flask) -> None:
    """Give every template its frame."""

    @app.context_processor
    def _frame() -> dict[str, object]:
        who = person() if current_user.is_authenticated else None
        frame = Frame(who, current_app.config["SPONSOR"], current_app.config["DEMO"])
        return {"frame": frame, "here": request.endpoint or ""}
