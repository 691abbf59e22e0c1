"""policy drafts and coverage

Revises: 0018
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("policy", sa.Column("reason", sa.String(length=300), nullable=True))
    op.create_table(
        "policy_draft",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("base_id", BIG, nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["base_id"], ["policy.id"], name=op.f("fk_policy_draft_base_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
        sqlite_autoincrement=True,  # a number is never given to another draft: somebody may have its page open
    )
    op.create_table(
        "policy_impact",
        sa.Column("draft_id", BIG, nullable=False),
        sa.Column("state_version", sa.Integer(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("counted_at", TIME, nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("data", DOCUMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["policy_draft.id"], name=op.f("fk_policy_impact_draft_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_policy_impact")),
    )
    op.create_table(
        "coverage_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("question", sa.String(length=16), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.Column("counted_at", TIME, nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("day", "question", name=op.f("pk_coverage_count")),
    )
    op.create_table(
        "coverage_village",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("question", sa.String(length=16), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "question", "division_code", name=op.f("pk_coverage_village")),
    )


def downgrade() -> None:
    op.drop_table("coverage_village")
    op.drop_table("coverage_count")
    op.drop_table("policy_impact")
    op.drop_table("policy_draft")
    op.drop_column("policy", "reason")
