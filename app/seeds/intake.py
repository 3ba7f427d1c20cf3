"""What an office sends in a month, as it really arrives: most rows are taken in, some wait for somebody at the desk."""

from __future__ import annotations

import csv
import io
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import current_app

from app.db import transaction
from app.duty.intake import run
from app.files import find, keep_file
from app.now import moved_to, now
from app.registry.directory import entry_for
from app.registry.intake.batch import make_batch, start
from app.registry.intake.examine import examine
from app.seeds.invent import InventedSubject, Inventor, invent_penalties, office_of
from workflows.calendar import legal_day

if TYPE_CHECKING:
    from app.seeds.stories import Teller

OFFICE, SENDER, KIND = "jt-430100", "wenjing", "XZCF"
ROWS = 24
NAME = "长沙市行政处罚（演示·无效）.csv"


def send_a_sheet(t: Teller) -> None:
    """文静 of 长沙 reports: a day that does not exist, a code with a slip, a row without its number, one sent twice."""
    rng = random.Random(20261125)
    inventor = Inventor(rng)
    with moved_to(t.back(2, 9)):
        entry = entry_for(KIND, legal_day(now()))
        firms: list[InventedSubject] = []
        while len(firms) < ROWS // 2:
            firm = inventor.enterprise()
            if office_of(firm.region) == OFFICE:
                firms.append(firm)
        made = invent_penalties(ROWS * 2, rng, until=legal_day(now()) - timedelta(days=1), subjects=firms)
        rows = [penalty.received for penalty in made if penalty.received.keys() <= entry.by_code.keys()][:ROWS]
        rows[3] |= {"CF_JDRQ": "2026-02-30"}
        rows[7] |= {"CF_XDR_SHXYM": rows[7]["CF_XDR_SHXYM"][:-2] + "00"}
        rows[11] |= {"CF_WSH": ""}
        rows.append(rows[0])
        text = io.StringIO()
        columns = [field.code for field in entry.fields if any(field.code in row for row in rows)]
        writer = csv.writer(text)
        writer.writerow([entry.by_code[code].name for code in columns])
        writer.writerows([row.get(code, "") for code in columns] for row in rows)
        folder = current_app.config["INSTANCE"] / "uploads"
        file, size = keep_file(folder, io.BytesIO(text.getvalue().encode("gb18030")))
        sender = t.person(SENDER)
        with transaction():
            examined = examine(find(folder, file), legal_day(now()), KIND)
            batch_id = make_batch(examined, file, NAME, size, t.planted.offices[OFFICE], sender, now())
        with transaction():
            start(batch_id, sender, now())
        run(batch_id)
