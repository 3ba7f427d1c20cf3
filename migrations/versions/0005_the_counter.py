"""The counter: people who ask to act for a subject, the papers they hand in, and the papers that the register seals;
since when a department listens, and room beside each delivery."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.guard import guard, unguard

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GUARDS = (
    ("mandate_request", "delete", "", "requests are never deleted"),
    (
        "mandate_request",
        "update",
        ("receipt", "user_id", "code", "capacity", "valid_until", "asked_at"),
        "what was asked is never changed",
    ),
    ("mandate_paper", "delete", "", "papers of a request are never deleted"),
    ("mandate_paper", "update", "*", "papers of a request are never changed"),
    ("register_paper", "delete", "", "papers of the register are never deleted"),
    (
        "register_paper",
        "update",
        ("kind", "subject_id", "record_id", "number", "code", "html", "html_hash", "facts", "issued_at"),
        "what a paper of the register says is never changed",
    ),
)


def upgrade() -> None:
    op.create_table(
        "mandate_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("capacity", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("mandate_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "capacity in ('legal_representative', 'clerk', 'administrator')", name=op.f("ck_mandate_request_capacity")
        ),
        sa.CheckConstraint(
            "state in ('waiting', 'confirmed', 'refused', 'withdrawn')", name=op.f("ck_mandate_request_state")
        ),
        sa.CheckConstraint("(state = 'confirmed') = (mandate_id is not null)", name=op.f("ck_mandate_request_mandate")),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name=op.f("fk_mandate_request_decided_by_user")),
        sa.ForeignKeyConstraint(["mandate_id"], ["mandate.id"], name=op.f("fk_mandate_request_mandate_id_mandate")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_mandate_request_office_id_office")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mandate_request_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_request")),
        sa.UniqueConstraint("key", name=op.f("uq_mandate_request_key")),
        sa.UniqueConstraint("mandate_id", name=op.f("uq_mandate_request_mandate_id")),
        sa.UniqueConstraint("receipt", name=op.f("uq_mandate_request_receipt")),
    )
    with op.batch_alter_table("mandate_request", schema=None) as batch_op:
        batch_op.create_index("ix_mandate_request_office", ["office_id", "state", "id"], unique=False)
        batch_op.create_index("ix_mandate_request_user", ["user_id", "id"], unique=False)
        batch_op.create_index(
            "ix_mandate_request_waiting",
            ["user_id", "code"],
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "mandate_paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["mandate_request.id"], name=op.f("fk_mandate_paper_request_id_mandate_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_paper")),
        sa.UniqueConstraint("request_id", "sha256", name=op.f("uq_mandate_paper_request_id_sha256")),
    )

    op.create_table(
        "register_paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("kind_word", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("about_day", sa.Date(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("html", sa.String(), nullable=False),
        sa.Column("html_hash", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pdf_hash", sa.String(), nullable=True),
        sa.Column("pdf_size", sa.Integer(), nullable=True),
        sa.Column("signer", sa.String(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.CheckConstraint("kind in ('extract', 'repair_notice')", name=op.f("ck_register_paper_kind")),
        sa.CheckConstraint("reader in ('public', 'subject', 'officer')", name=op.f("ck_register_paper_reader")),
        sa.ForeignKeyConstraint(["asked_by"], ["user.id"], name=op.f("fk_register_paper_asked_by_user")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_register_paper_office_id_office")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_register_paper_record_id_record")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_register_paper_subject_id_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_paper")),
        sa.UniqueConstraint("code", name=op.f("uq_register_paper_code")),
        sa.UniqueConstraint(
            "office_id", "kind_word", "year", "serial", name=op.f("uq_register_paper_office_id_kind_word_year_serial")
        ),
        sa.UniqueConstraint("pdf_hash", name=op.f("uq_register_paper_pdf_hash")),
    )
    with op.batch_alter_table("register_paper", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_register_paper_number"), ["number"], unique=False)
        batch_op.create_index("ix_register_paper_subject", ["subject_id", "kind", "id"], unique=False)
        batch_op.create_index(
            "ix_register_paper_record",
            ["record_id"],
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )
        batch_op.create_index(
            "ix_register_paper_unprinted",
            ["id"],
            unique=False,
            sqlite_where=sa.text("printed_at IS NULL"),
            postgresql_where=sa.text("printed_at IS NULL"),
        )

    op.add_column("api_key", sa.Column("per_day", sa.Integer(), nullable=False, server_default="10000"))
    op.create_table(
        "api_key_day",
        sa.Column("api_key_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("searches", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"], name=op.f("fk_api_key_day_api_key_id_api_key")),
        sa.PrimaryKeyConstraint("api_key_id", "day", name=op.f("pk_api_key_day")),
    )
    op.add_column("office", sa.Column("listens_since", sa.Date(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery SET (fillfactor = 50)")

    guard(GUARDS)


def downgrade() -> None:
    unguard(GUARDS)
    op.drop_table("api_key_day")
    op.drop_column("api_key", "per_day")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery RESET (fillfactor)")
    op.drop_column("office", "listens_since")
    op.drop_table("register_paper")
    op.drop_table("mandate_paper")
    op.drop_table("mandate_request")
