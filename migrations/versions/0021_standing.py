"""standing: reports that are owed, and indexes for the figures of command

Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
DECLARED = sa.text("state = 'declared'")
OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "report_round",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("planned_at", TIME, nullable=False),
        sa.Column("targets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_report_round")),
    )
    op.create_table(
        "report_delivery",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("retry_at", TIME, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["day"], ["report_round.day"], name=op.f("fk_report_delivery_day"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["target_id"], ["channel_target.id"], name=op.f("fk_report_delivery_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("day", "target_id", name=op.f("pk_report_delivery")),
    )
    op.create_index("ix_report_delivery_state", "report_delivery", ["state", "day"])
    op.create_index("ix_report_delivery_target", "report_delivery", ["target_id"])
    # People by state, tier and town are counted from the index alone.
    op.drop_index("ix_registration_tier", "registration")
    op.create_index("ix_registration_tier", "registration", ["state", "tier", "destination_code"])
    op.create_index(
        "ix_registration_arriving",
        "registration",
        ["state", "arriving_on", "destination_code", "tier"],
        postgresql_where=DECLARED,
        sqlite_where=DECLARED,
    )
    op.create_index(
        "ix_follow_up_open",
        "follow_up",
        ["state", "due_at", "division_code", "kind"],
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_follow_up_open", "follow_up")
    op.drop_index("ix_registration_arriving", "registration")
    op.drop_index("ix_registration_tier", "registration")
    op.create_index("ix_registration_tier", "registration", ["state", "tier"])
    op.drop_table("report_delivery")
    op.drop_table("report_round")
