"""approvals

Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("origin_code", sa.String(length=12), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("registration_id", sa.Uuid(), nullable=True),
        sa.Column("on_paper", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=60), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("contact_name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("contact_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("purpose_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_conditions", DOCUMENT, nullable=False),
        sa.Column("conditions", DOCUMENT, nullable=True),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["division_code"], ["division.code"], name=op.f("fk_approval_division_code")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_approval_registration_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_approval_key_hash")),
        sa.UniqueConstraint("number", name=op.f("uq_approval_number")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index("ix_approval_changed", ["changed_at"], unique=False)
        batch_op.create_index("ix_approval_company", ["company_id"], unique=False)
        batch_op.create_index("ix_approval_division", ["division_code", "state", "due_at"], unique=False)
        batch_op.create_index("ix_approval_registration", ["registration_id"], unique=False)
        batch_op.create_index("ix_approval_state", ["state", "valid_until"], unique=False)

    op.create_table(
        "approval_holder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_type", sa.String(length=16), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("plate_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("plate_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("removed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approval.id"], name=op.f("fk_approval_holder_approval_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_holder")),
    )
    with op.batch_alter_table("approval_holder", schema=None) as batch_op:
        batch_op.create_index("ix_approval_holder_approval", ["approval_id"], unique=False)
        batch_op.create_index(
            "ix_approval_holder_document",
            ["id_number_hash"],
            unique=False,
            postgresql_where=sa.text("id_number_hash IS NOT NULL"),
            sqlite_where=sa.text("id_number_hash IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_approval_holder_plate",
            ["plate_hash"],
            unique=False,
            postgresql_where=sa.text("plate_hash IS NOT NULL"),
            sqlite_where=sa.text("plate_hash IS NOT NULL"),
        )

    op.create_table(
        "approval_page",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("picture_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("picture_bytes", sa.Integer(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("added_by", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approval.id"], name=op.f("fk_approval_page_approval_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_page")),
    )
    with op.batch_alter_table("approval_page", schema=None) as batch_op:
        batch_op.create_index("ix_approval_page_approval", ["approval_id", "position"], unique=False)

    op.create_table(
        "approval_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=True),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("data", DOCUMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approval.id"], name=op.f("fk_approval_step_approval_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_step")),
    )
    with op.batch_alter_table("approval_step", schema=None) as batch_op:
        batch_op.create_index("ix_approval_step_approval", ["approval_id", "at"], unique=False)


def downgrade() -> None:
    for table in ("approval_step", "approval_page", "approval_holder", "approval"):
        op.drop_table(table)
