"""Sharing: deliveries, attempts, receipts, keys, statements; every notice written before gets its delivery."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.guard import guard, unguard

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEPT_IN_STATEMENT = ("receiver_id", "since", "until", "serial", "figures", "digest", "file", "made_at", "made_by")
KEPT_IN_ISSUE = ("key", "kind", "office_id", "receiver_id", "notice_id", "case_id", "statement_id", "opened_at")
KEPT_IN_NOTICE = (
    "key", "receiver_id", "subject_id", "record_id", "case_id", "journal_id", "seq", "act", "payload", "body",
    "payload_hash", "written_at",
)  # fmt: skip
FROZEN = "the words of a notice are frozen"
BEFORE = (("notice", "update", tuple(name for name in KEPT_IN_NOTICE if name != "body"), FROZEN),)
"""What 0002 guards of a notice: it had no body of its own."""
GUARDS = (
    ("notice", "update", KEPT_IN_NOTICE, FROZEN),
    ("delivery", "delete", "", "deliveries are never deleted"),
    ("delivery", "update", ("notice_id", "receiver_id", "subject_id", "seq"), "a delivery keeps to its notice"),
    ("attempt", "delete", "", "attempts are never deleted"),
    ("attempt", "update", "*", "attempts are never changed"),
    ("receipt", "delete", "", "receipts are never deleted"),
    ("receipt", "update", "*", "receipts are never changed"),
    ("statement", "delete", "", "statements are never deleted"),
    ("statement", "update", KEPT_IN_STATEMENT, "what a statement says is frozen"),
    ("issue", "delete", "", "issues are never deleted"),
    ("issue", "update", KEPT_IN_ISSUE, "what an issue is about is frozen"),
)


def upgrade() -> None:
    brought = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("filing", sa.Column("brought", brought, nullable=True))
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_api_key_made_by_user")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_api_key_office_id_office")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_api_key_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_office_id"), ["office_id"], unique=False)

    op.create_table(
        "endpoint",
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_why", sa.String(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.CheckConstraint("channel in ('webhook', 'drop', 'feed', 'counter')", name=op.f("ck_endpoint_channel")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_endpoint_office_id_office")),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_endpoint")),
    )
    op.create_table(
        "receiver_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("use", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("use in ('webhook', 'receipt')", name=op.f("ck_receiver_key_use")),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_receiver_key_made_by_user")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_receiver_key_office_id_office")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receiver_key")),
        sa.UniqueConstraint("office_id", "use", "name", name=op.f("uq_receiver_key_office_id_use_name")),
    )
    with op.batch_alter_table("receiver_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receiver_key_office_id"), ["office_id"], unique=False)

    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("theirs", sa.String(), nullable=False),
        sa.Column("their_file", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pdf", sa.String(), nullable=True),
        sa.Column("signer", sa.String(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.CheckConstraint("state in ('drawn', 'agreed', 'differing', 'settled')", name=op.f("ck_statement_state")),
        sa.ForeignKeyConstraint(["answered_by"], ["user.id"], name=op.f("fk_statement_answered_by_user")),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_statement_made_by_user")),
        sa.ForeignKeyConstraint(["receiver_id"], ["office.id"], name=op.f("fk_statement_receiver_id_office")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint(
            "receiver_id", "since", "until", "serial", name=op.f("uq_statement_receiver_id_since_until_serial")
        ),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_receiver_id"), ["receiver_id"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("regions", sa.String(), nullable=False),
        sa.Column("trades", sa.String(), nullable=False),
        sa.Column("kinds", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_subscription_made_by_user")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_subscription_office_id_office")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscription_office_id"), ["office_id"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_attempt_notice_id_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_notice_id"), ["notice_id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("receipt_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'delivered', 'dead', 'skipped')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_id_notice")),
        sa.ForeignKeyConstraint(["receiver_id"], ["office.id"], name=op.f("fk_delivery_receiver_id_office")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("receiver_id", "position", name=op.f("uq_delivery_receiver_id_position")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_batch",
            ["receiver_id", "batch"],
            unique=False,
            sqlite_where=sa.text("batch IS NOT NULL"),
            postgresql_where=sa.text("batch IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_due",
            ["receiver_id", "next_at", "notice_id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index("ix_delivery_receiver", ["receiver_id", "notice_id"], unique=False)
        batch_op.create_index(
            "ix_delivery_unanswered",
            ["receiver_id", "notice_id"],
            unique=False,
            sqlite_where=sa.text("receipt = ''"),
            postgresql_where=sa.text("receipt = ''"),
        )
        batch_op.create_index(
            "ix_delivery_unfinished",
            ["receiver_id", "subject_id", "seq"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'dead')"),
            postgresql_where=sa.text("state IN ('waiting', 'dead')"),
        )

    op.create_table(
        "issue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("statement_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.CheckConstraint("kind in ('dead', 'not_found', 'refused', 'difference')", name=op.f("ck_issue_kind")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_issue_case_id_case")),
        sa.ForeignKeyConstraint(["closed_by"], ["user.id"], name=op.f("fk_issue_closed_by_user")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_issue_notice_id_notice")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_issue_office_id_office")),
        sa.ForeignKeyConstraint(["receiver_id"], ["office.id"], name=op.f("fk_issue_receiver_id_office")),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_issue_statement_id_statement")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
        sa.UniqueConstraint("key", name=op.f("uq_issue_key")),
    )
    with op.batch_alter_table("issue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issue_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issue_notice_id"), ["notice_id"], unique=False)
        batch_op.create_index("ix_issue_open", ["office_id", "closed_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issue_receiver_id"), ["receiver_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issue_statement_id"), ["statement_id"], unique=False)

    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("key_name", sa.String(), nullable=False),
        sa.Column("raw", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("journal_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind in ('done', 'holds_nothing', 'already_ended', 'not_found', 'refused')", name=op.f("ck_receipt_kind")
        ),
        sa.CheckConstraint("via in ('api', 'counter')", name=op.f("ck_receipt_via")),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name=op.f("fk_receipt_journal_id_journal")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_receipt_notice_id_notice")),
        sa.ForeignKeyConstraint(["receiver_id"], ["office.id"], name=op.f("fk_receipt_receiver_id_office")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_receipt_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("receiver_id", "key", name=op.f("uq_receipt_receiver_id_key")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_notice_id"), ["notice_id"], unique=False)

    op.add_column("subject", sa.Column("trade", sa.String(), nullable=False, server_default=""))
    op.add_column("office", sa.Column("review_address", sa.String(), nullable=False, server_default=""))

    unguard(BEFORE)
    op.add_column("notice", sa.Column("body", sa.String(), nullable=False, server_default=""))
    _write_bodies(brought)
    op.execute(
        "INSERT INTO delivery (notice_id, receiver_id, subject_id, seq, state, channel, attempts, next_at, trouble,"
        " receipt) SELECT id, receiver_id, subject_id, seq, 'waiting', '', 0, written_at, '', '' FROM notice"
    )
    op.add_column("once", sa.Column("made_id", sa.Integer(), nullable=True))
    guard(GUARDS)


def _write_bodies(json_type: sa.types.TypeEngine) -> None:
    """The text that goes over the wire, for notices written before it was kept: sorted keys, no blanks."""
    notice = sa.table("notice", sa.column("id"), sa.column("payload", json_type), sa.column("body"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(notice.c.id, notice.c.payload)).all():
        body = json.dumps(row.payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        connection.execute(notice.update().where(notice.c.id == row.id).values(body=body))


def downgrade() -> None:
    unguard(GUARDS)
    op.drop_column("notice", "body")
    guard(BEFORE)
    op.drop_column("once", "made_id")
    op.drop_column("office", "review_address")
    op.drop_column("subject", "trade")

    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receipt_notice_id"))

    op.drop_table("receipt")
    with op.batch_alter_table("issue", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issue_statement_id"))
        batch_op.drop_index(batch_op.f("ix_issue_receiver_id"))
        batch_op.drop_index("ix_issue_open")
        batch_op.drop_index(batch_op.f("ix_issue_notice_id"))
        batch_op.drop_index(batch_op.f("ix_issue_case_id"))

    op.drop_table("issue")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_delivery_unfinished",
            sqlite_where=sa.text("state IN ('waiting', 'dead')"),
            postgresql_where=sa.text("state IN ('waiting', 'dead')"),
        )
        batch_op.drop_index(
            "ix_delivery_unanswered", sqlite_where=sa.text("receipt = ''"), postgresql_where=sa.text("receipt = ''")
        )
        batch_op.drop_index("ix_delivery_receiver")
        batch_op.drop_index(
            "ix_delivery_due", sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'")
        )
        batch_op.drop_index(
            "ix_delivery_batch",
            sqlite_where=sa.text("batch IS NOT NULL"),
            postgresql_where=sa.text("batch IS NOT NULL"),
        )

    op.drop_table("delivery")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_notice_id"))

    op.drop_table("attempt")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscription_office_id"))

    op.drop_table("subscription")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_receiver_id"))

    op.drop_table("statement")
    with op.batch_alter_table("receiver_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receiver_key_office_id"))

    op.drop_table("receiver_key")
    op.drop_table("endpoint")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_office_id"))

    op.drop_table("api_key")
    op.drop_column("filing", "brought")
