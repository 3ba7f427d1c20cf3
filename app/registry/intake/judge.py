"""What becomes of the rows of a chunk: taken in, with a warning, waiting with reasons, a duplicate, a correction.

The same row judged again gives the same verdict, whoever judges it and however often a run was killed: what decides is
the row, the register and the law of the day, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.registry.codes import doubt_of
from app.registry.intake import lookups
from app.registry.intake.changes import Existing, correction_or_reason
from app.registry.intake.lookups import Key
from app.registry.intake.whom import Subjects, Whom
from app.registry.intake.work import (
    CORRECTED,
    IN,
    SKIPPED,
    WAITING,
    WARNED,
    Chunk,
    Judged,
    Line,
    NewRecord,
    Ready,
    Work,
)
from app.registry.row_reader import Finding
from app.registry.text import fold, name_key, say

_WITHDRAWN = frozenset({"1", "撤销", "已撤销", "2已撤销"})
_DISPUTED = frozenset({"2", "异议"})
_SHOWN_TO_ALL = frozenset({"", "0", "公示", "社会公开", "可向社会公开", "1可向社会公开"})


def judge(work: Work, rows: Sequence[Judged | int]) -> Chunk:
    """Judge a chunk inside `transaction()`. Records it will correct are locked; nothing is written yet."""
    return _Judging(work, rows).all()


class _Judging:
    """One chunk. Rows are decided in their order, so that a row sees what the rows before it bring."""

    def __init__(self, work: Work, rows: Sequence[Judged | int]) -> None:
        self.work = work
        self.entry = work.entry
        self.rows = rows
        self.chunk = Chunk()
        self._title = self.entry.by_role["title"][0].code
        self._organ = self.entry.by_role["organ"][0]
        self._code = self.entry.by_role["code"][0].code
        places = (place for place, column in enumerate(work.heading.columns) if column.field == self._code)
        self._code_place = next(places, None)
        self._found: dict[str, tuple[int, str]] = {}
        self._keys: dict[int, Key] = {}
        self._pending: dict[Key, NewRecord] = {}
        self._sent: dict[tuple[int, str], NewRecord] = {}

    def all(self) -> Chunk:
        good = []
        for judged in self.rows:
            if isinstance(judged, int):
                self.chunk.count(SKIPPED)
            elif judged.verdict.problems:
                self._wait(judged, list(judged.verdict.problems), self._doubt(judged, judged.verdict.problems))
            else:
                good.append(judged)
        plausible = [(judged, office) for judged in good if (office := self._office(judged)) is not None]
        subjects = Subjects(self.work, [judged for judged, _ in plausible])
        asked = [(judged, subjects.of(judged), office) for judged, office in plausible]
        self._load(asked)
        self._ids = iter(lookups.next_ids("record", len(asked)))
        used = {self._decide(judged, whom, office) for judged, whom, office in asked}
        self.chunk.subjects = [made for made in subjects.new if made.id in used]
        self.chunk.lines.sort(key=lambda line: line.row)
        return self.chunk

    def _office(self, judged: Judged) -> tuple[int, str] | None:
        """The office that recognised the record, with a warning when its name is unknown; None for a row that waits,
        because another office must send it or because what it says is no record."""
        field = self._organ
        organ = judged.verdict.values.get(field.code, "")
        found = self._found.get(organ)
        if found is None:
            found = self.work.offices.get(name_key(organ))
            if found is not None:
                self._found[organ] = found
        if fold(self.work.about(judged, "standing")) in _WITHDRAWN:
            text = say("报送的状态是“撤销”；撤销处罚请在原记录上登记，不能作为新的记录写入")
            self._wait(judged, [("", text)])
            return None
        if found is None:
            unknown = say("“{organ}”不在机构表中，记在报送单位名下", organ=organ)
            return self.work.office_id, f"{field.name}：{unknown}"
        if not found[1].startswith(self.work.office_path):
            stranger = say("“{organ}”不是报送单位，也不是它的下属单位；请由认定单位报送", organ=organ)
            self._wait(judged, [(field.code, f"{field.name}：{stranger}")])
            return None
        return found[0], ""

    def _load(self, asked: list[tuple[Judged, Whom, tuple[int, str]]]) -> None:
        """The records that these rows repeat or correct, and the cases about them."""
        keys, senders = set(), set()
        for judged, whom, (office, _) in asked:
            if whom.id:
                keys.add(self._key_of(judged, whom.id, office))
            if sender := self.work.about(judged, "sender_id"):
                senders.add(sender)
        self._by_key = lookups.by_key(keys)
        self._by_sender = lookups.by_sender({office for _, _, (office, _) in asked}, senders)
        there = [row.id for row in (*self._by_key.values(), *self._by_sender.values())]
        self._cases = lookups.cases_about(there)
        self._corrected = lookups.corrected_by(self.work.batch_id, there)

    def _key_of(self, judged: Judged, subject: int, office: int) -> Key:
        key = self._keys.get(judged.row)
        if key is None:
            ready = _ready(judged)
            key = self._keys[judged.row] = ready.number_key, subject, office, ready.day
        return key

    def _decide(self, judged: Judged, whom: Whom, office: tuple[int, str]) -> int:
        """Decide a row; the id of the subject it is taken in for, else 0."""
        if not whom.id:
            self._wait(judged, [(whom.field, f"{self.entry.by_code[whom.field].name}：{whom.reason}")], whom.finding)
            return 0
        warnings = [(found.field, str(found.text)) for found in judged.verdict.warnings]
        if office[1]:
            warnings.append((self._organ.code, office[1]))
        if whom.warning:
            warnings.append((whom.field, f"{self.entry.by_code[whom.field].name}：{whom.warning}"))
        standing = fold(self.work.about(judged, "standing"))
        if standing in _DISPUTED:
            warnings.append(("", say("报送的状态是“异议”；请核对是否有正在办理的异议")))
        key = self._key_of(judged, whom.id, office[0])
        sender = self.work.about(judged, "sender_id")
        before = self._before(key, office[0], sender)
        if before is not None:
            return self._repeat(judged, before, key, sender, warnings, whom)
        doubt = whom.finding or (self._doubt(judged, judged.verdict.warnings) if judged.verdict.warnings else "")
        return self._take_in(judged, key, sender, warnings, doubt)

    def _before(self, key: Key, office: int, sender: str) -> Existing | None:
        """The record that this row is about already: by its sender's id, or by its key."""
        if sender and (made := self._sent.get((office, sender))):
            return Existing.pending(self.work, made)
        if sender and (row := self._by_sender.get((office, sender))):
            return Existing.stored(row, self._cases.get(row.id, ""))
        if made := self._pending.get(key):
            return Existing.pending(self.work, made)
        if (row := self._by_key.get(key)) is not None and not (sender and row.sender_id):
            return Existing.stored(row, self._cases.get(row.id, ""))
        if row is not None:
            return Existing.stored(row, self._cases.get(row.id, ""), other_sender=row.sender_id != sender)
        return None

    def _repeat(
        self, judged: Judged, before: Existing, key: Key, sender: str, warnings: list[tuple[str, str]], whom: Whom
    ) -> int:
        """A row about a record that is there: nothing new, a correction, or a contradiction."""
        values = _ready(judged).values
        taken = self._by_key.get(key)
        if taken is not None and taken.id != before.id:
            text = say("改成这样就与另一条已有记录（{number}）相同；请核对", number=taken.number)
            self._wait(judged, [("", text)], record_id=before.id)
            return 0
        before.corrected = before.id in self._corrected
        verdict, change, reasons = correction_or_reason(self.work, judged, values, before, key)
        if change is not None:
            self.chunk.corrections.append(change)
            self._corrected.add(before.id)
            self._line(judged, CORRECTED, [*reasons, *warnings], before.id, whom.finding)
            return key[1]
        self._line(judged, verdict, reasons, before.id, whom.finding if verdict == WAITING else "")
        return 0

    def _take_in(self, judged: Judged, key: Key, sender: str, warnings: list[tuple[str, str]], finding: str) -> int:
        ready = _ready(judged)
        public = fold(self.work.about(judged, "scope")) in _SHOWN_TO_ALL
        if not public:
            warnings.append(("", say("信息使用范围不是社会公开，已写入但不公示")))
        record = NewRecord(
            id=next(self._ids),
            subject_id=key[1],
            office_id=key[2],
            title=ready.values.get(self._title) or self.entry.title,
            published=ready.shown.published and public and self.entry.may_be_published,
            judged=judged,
            ready=ready,
            sender_id=sender,
        )
        self.chunk.records.append(record)
        self._pending[key] = record
        if sender:
            self._sent[key[2], sender] = record
        if warnings:
            self._line(judged, WARNED, warnings, record.id, finding)
        else:
            self.chunk.count(IN)
        return key[1]

    def _doubt(self, judged: Judged, about: Sequence[Finding]) -> str:
        """Whether what was found in a row is a doubt about whom it means and not a slip of the pen: the organ's code
        pasted as the subject's, an older number, a check character that does not fit."""
        if all(found.field != self._code for found in about):
            return ""
        if any("与决定机关的代码相同" in found.text for found in about):
            return "organ_code"
        return doubt_of(judged.cells[self._code_place]) if self._code_place is not None else ""

    def _wait(
        self, judged: Judged, reasons: Sequence[tuple[str, str]], finding: str = "", record_id: int | None = None
    ) -> None:
        self._line(judged, WAITING, reasons, record_id, finding)

    def _line(
        self, judged: Judged, verdict: str, reasons: Sequence[tuple[str, str]], record_id: int | None, finding: str
    ) -> None:
        told = [(field, str(text)) for field, text in reasons]
        self.chunk.lines.append(Line(judged.row, verdict, judged, told, record_id, finding))
        self.chunk.count(verdict)


def _ready(judged: Judged) -> Ready:
    assert judged.ready is not None, "a row with problems waits"
    return judged.ready
