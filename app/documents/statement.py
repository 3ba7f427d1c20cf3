"""The sheet of a statement, for the press: everything in it was frozen when the statement was drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import current_app

from app.documents.freeze import environment
from app.documents.glyphs import unseen
from app.documents.press import Sheet
from workflows.calendar import legal_day

SCHEMA = "jiannuo-statement-1"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A statement as it was drawn. `figures` are its own; `phone` that of the organ that issues it."""

    id: int
    number: str
    since: date
    until: date
    figures: Mapping[str, Any]
    digest: str
    file: str
    made_at: datetime
    phone: str

    @property
    def issuer(self) -> str:
        """The organ in whose name it goes out."""
        return str(self.figures["issuer"])

    @property
    def receiver(self) -> str:
        """Whom it is for."""
        return str(self.figures["receiver"])

    @property
    def made_on(self) -> date:
        """The civil day on which it was drawn."""
        return legal_day(self.made_at)

    @property
    def rare(self) -> bool:
        """Whether the issuer's name has a character that the title face does not show."""
        return bool(unseen(self.issuer, "title"))

    @property
    def address(self) -> str:
        """Where the receiver answers it."""
        return f"{current_app.config['PUBLIC_ADDRESS']}/agency/statements/{self.id}"

    @property
    def host(self) -> str:
        """The host of our address."""
        return self.address.split("//", 1)[-1].split("/", 1)[0]

    @property
    def demo(self) -> bool:
        """Whether it is a demo and void."""
        return bool(current_app.config["DEMO"])


def sheet_of(drawn: Drawn, kinds: Mapping[str, str]) -> Sheet:
    """The sheet with its machine-readable twin; `kinds` are the words for the kinds of difference."""
    html = environment().get_template("sharing/statement.html").render(s=drawn, f=drawn.figures, kinds=kinds)
    facts = {
        "schema": SCHEMA,
        "number": drawn.number,
        "issuer": drawn.issuer,
        "receiver": drawn.figures["receiver_code"],
        "since": drawn.since.isoformat(),
        "until": drawn.until.isoformat(),
        "made_at": drawn.made_at.isoformat(),
        "figures": {name: value for name, value in drawn.figures.items() if isinstance(value, int | dict)},
        "differences": drawn.figures["differences"],
        "digest": drawn.digest,
        "lines_sha256": drawn.file,
        "text_sha256": hashlib.sha256(html.encode()).hexdigest(),
        "verify": drawn.address,
        "demo": drawn.demo,
    }
    return Sheet(html, facts, drawn.made_at)
