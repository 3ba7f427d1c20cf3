"""The counter: people who ask to act for a subject, and the papers they hand in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

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
        sa.CheckConstraint(
            "(state = 'confirmed') = (mandate_id is not null)", name=op.f("ck_mandate_request_mandate")
        ),
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

    guard(GUARDS)


def downgrade() -> None:
    unguard(GUARDS)
    op.drop_table("mandate_paper")
    op.drop_table("mandate_request")
