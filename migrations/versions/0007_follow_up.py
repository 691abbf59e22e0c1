"""follow up

Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.add_column(sa.Column("because", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_follow_up_overdue", ["state", "overdue_at", "due_at"], unique=False)
        batch_op.create_index(
            "ix_follow_up_release",
            ["from_at"],
            unique=False,
            postgresql_where=sa.text("kind = 'release' AND state = 'open'"),
            sqlite_where=sa.text("kind = 'release' AND state = 'open'"),
        )
        batch_op.create_index(
            "ix_follow_up_arrival",
            ["kind", "from_at", "division_code", "state", "result", "because", "due_at", "done_at"],
            unique=False,
            postgresql_where=sa.text("kind = 'arrival_visit'"),
            sqlite_where=sa.text("kind = 'arrival_visit'"),
        )

    op.create_table(
        "traveller_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("follow_up_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place_code", sa.String(length=12), nullable=True),
        sa.Column("temperature", sa.SmallInteger(), nullable=True),
        sa.Column("symptoms", _DOCUMENT, nullable=False),
        sa.Column("test_kind", sa.String(length=12), nullable=True),
        sa.Column("test_result", sa.String(length=12), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_traveller_report_registration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traveller_report")),
    )
    with op.batch_alter_table("traveller_report", schema=None) as batch_op:
        batch_op.create_index("ix_traveller_report_registration", ["registration_id", "reported_at"], unique=False)
        batch_op.create_index("ix_traveller_report_follow_up_id", ["follow_up_id"], unique=False)

    op.create_table(
        "assessment_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("reasons", _DOCUMENT, nullable=False),
        sa.Column("why_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_assessment_override_registration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_override")),
    )
    with op.batch_alter_table("assessment_override", schema=None) as batch_op:
        batch_op.create_index("ix_assessment_override_registration", ["registration_id"], unique=False)
        batch_op.create_index("ix_assessment_override_until", ["ended_at", "until"], unique=False)

    op.create_table(
        "appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tier_before", sa.String(length=8), nullable=False),
        sa.Column("tier_after", sa.String(length=8), nullable=True),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("picture_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("picture_bytes", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=60), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_appeal_registration_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
    )
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.create_index("ix_appeal_registration", ["registration_id", "made_at"], unique=False)
        batch_op.create_index("ix_appeal_division", ["division_code", "state", "due_at"], unique=False)
        batch_op.create_index("ix_appeal_made", ["made_at"], unique=False)


def downgrade() -> None:
    op.drop_table("appeal")
    op.drop_table("assessment_override")
    op.drop_table("traveller_report")
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_index("ix_follow_up_arrival")
        batch_op.drop_index("ix_follow_up_release")
        batch_op.drop_index("ix_follow_up_overdue")
        batch_op.drop_column("overdue_at")
        batch_op.drop_column("because")
