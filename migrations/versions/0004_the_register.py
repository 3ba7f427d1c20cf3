"""The register: batches that came in, their rows, and what a record said before it was corrected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import name_index
from migrations.guard import guard, unguard

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEEPERS = name_index.KEEPERS
GUARDS = (
    ("batch", "delete", "", "batches are never deleted"),
    ("record_version", "delete", "", "what a record said is never deleted"),
    ("record_version", "update", "*", "what a record said is never changed"),
)


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("directory", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("encoding", sa.String(), nullable=False),
        sa.Column("heading", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tallies", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("preview", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_by", sa.String(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state in ('previewed', 'queued', 'running', 'done', 'failed', 'undone')", name=op.f("ck_batch_state")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_batch_made_by_user")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_batch_office_id_office")),
        sa.ForeignKeyConstraint(["undone_by"], ["user.id"], name=op.f("fk_batch_undone_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index("ix_batch_office", ["office_id", "id"], unique=False)

    op.create_table(
        "batch_row",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("received", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reasons", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("mended", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.CheckConstraint(
            "verdict in ('warned', 'corrected', 'duplicate', 'waiting', 'ignored', 'sent_back', 'in')",
            name=op.f("ck_batch_row_verdict"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_row_batch_id_batch")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_batch_row_record_id_record")),
        sa.ForeignKeyConstraint(["settled_by"], ["user.id"], name=op.f("fk_batch_row_settled_by_user")),
        sa.PrimaryKeyConstraint("batch_id", "row", name=op.f("pk_batch_row")),
    )
    with op.batch_alter_table("batch_row", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_row_record_id"), ["record_id"], unique=False)
        batch_op.create_index("ix_batch_row_verdict", ["batch_id", "verdict", "row"], unique=False)
        batch_op.create_index(
            "ix_batch_row_finding",
            ["finding", "batch_id", "row"],
            unique=False,
            sqlite_where=sa.text("finding <> ''"),
            postgresql_where=sa.text("finding <> ''"),
        )

    op.create_table(
        "record_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("number_key", sa.String(), nullable=False),
        sa.Column("recognised_on", sa.Date(), nullable=False),
        sa.Column("cls", sa.String(), nullable=False),
        sa.Column("class_basis", sa.String(), nullable=False),
        sa.Column("minimum_last_day", sa.Date(), nullable=True),
        sa.Column("maximum_last_day", sa.Date(), nullable=True),
        sa.Column("fields", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("received", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_record_version_batch_id_batch")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_record_version_record_id_record")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_version")),
        sa.UniqueConstraint("record_id", "version", name=op.f("uq_record_version_record_id_version")),
    )
    with op.batch_alter_table("record_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_record_version_batch_id"), ["batch_id"], unique=False)

    op.add_column("record", sa.Column("sender_id", sa.String(), nullable=False, server_default=""))
    op.add_column("record", sa.Column("batch_id", sa.Integer(), nullable=True))
    op.add_column("record", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("record", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("record", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_record_batch_id", "record", ["batch_id"])
    op.create_index(
        "ix_record_sender",
        "record",
        ["office_id", "sender_id"],
        unique=True,
        sqlite_where=sa.text("sender_id <> ''"),
        postgresql_where=sa.text("sender_id <> ''"),
    )
    op.create_index("ix_record_kind_day", "record", ["kind", "recognised_on", "id", "maximum_last_day"])
    op.create_index("ix_record_office_kind_day", "record", ["office_id", "kind", "recognised_on", "id"])
    op.drop_index("ix_record_office_id", "record")
    name_index.create()
    guard(GUARDS)


def downgrade() -> None:
    unguard(GUARDS)
    name_index.drop()
    op.create_index("ix_record_office_id", "record", ["office_id"])
    op.drop_index("ix_record_office_kind_day", "record")
    op.drop_index("ix_record_kind_day", "record")
    op.drop_index("ix_record_sender", "record")
    op.drop_index("ix_record_batch_id", "record")
    for column in ("undone_at", "changed_at", "version", "batch_id", "sender_id"):
        op.drop_column("record", column)

    with op.batch_alter_table("record_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_version_batch_id"))

    op.drop_table("record_version")
    with op.batch_alter_table("batch_row", schema=None) as batch_op:
        batch_op.drop_index("ix_batch_row_finding")
        batch_op.drop_index("ix_batch_row_verdict")
        batch_op.drop_index(batch_op.f("ix_batch_row_record_id"))

    op.drop_table("batch_row")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index("ix_batch_office")

    op.drop_table("batch")
