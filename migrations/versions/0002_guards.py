"""What no program may do: change a journal line, a frozen text or a publication fact, or move a case but by steps."""

from __future__ import annotations

from migrations.guard import guard, unguard

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEPT_IN_JOURNAL = (
    "about", "about_id", "seq", "at", "act", "source", "target", "item", "person", "role", "office_id", "on_behalf_of",
    "law", "edition", "calendar", "digest", "clocks", "previous", "hash",
)  # fmt: skip
KEPT_IN_DOCUMENT = (
    "case_id", "journal_id", "kind", "title", "office_id", "kind_word", "year", "serial", "number", "code", "html",
    "html_hash", "facts", "issued_at",
)  # fmt: skip
KEPT_IN_NOTICE = (
    "key", "receiver_id", "subject_id", "record_id", "case_id", "journal_id", "seq", "act", "payload", "payload_hash",
    "written_at",
)  # fmt: skip
MOVED_WITHOUT_A_STEP = (
    "(new.state <> old.state AND (old.final OR new.version <> old.version + 1)) OR new.version < old.version "
    "OR (old.final AND NOT new.final) OR new.number <> old.number"
)

GUARDS = (
    ("journal", "delete", "", "journal lines are never deleted"),
    ("journal", "update", KEPT_IN_JOURNAL, "journal lines are never changed"),
    ("publication_fact", "delete", "", "publication facts are never deleted"),
    ("publication_fact", "update", "*", "publication facts are never changed"),
    ("document", "delete", "", "documents are never deleted"),
    ("document", "update", KEPT_IN_DOCUMENT, "the text of a document is frozen"),
    ("notice", "delete", "", "notices are never deleted"),
    ("notice", "update", KEPT_IN_NOTICE, "the words of a notice are frozen"),
    ("case", "delete", "", "cases are never deleted"),
    ("case", "update", MOVED_WITHOUT_A_STEP, "a case is never moved but by its steps, and never after its end"),
)


def upgrade() -> None:
    guard(GUARDS)


def downgrade() -> None:
    unguard(GUARDS)
