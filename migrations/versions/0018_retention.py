"""retention

Revises: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IN_FORCE = sa.text("ended_at IS NULL")


def _of_trip(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["registration_id"], ["registration.id"], name=op.f(f"fk_{table}_registration_id"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "day_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.String(length=8), nullable=False),
        sa.Column("transport", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_day_count_checkpoint_id")),
        sa.PrimaryKeyConstraint(
            "day", "checkpoint_id", "verdict", "decision", "tier", "transport", name=op.f("pk_day_count")
        ),
    )
    op.create_table(
        "purge_run",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("by_clock", sa.Boolean(), nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("counts", DOCUMENT, nullable=False),
        sa.Column("held", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_run")),
    )
    op.create_index(op.f("ix_purge_run_began_at"), "purge_run", ["began_at"])
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("why_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", sa.String(length=60), nullable=True),
        _of_trip("legal_hold"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(
        "ix_legal_hold_registration",
        "legal_hold",
        ["registration_id"],
        unique=True,
        postgresql_where=IN_FORCE,
        sqlite_where=IN_FORCE,
    )
    op.create_index("ix_legal_hold_trip", "legal_hold", ["registration_id"])
    op.create_table(
        "erasure_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        _of_trip("erasure_request"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_request")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_erasure_request_registration_id")),
    )
    # What goes with a trip is found by its trip.
    op.create_index("ix_withdrawal_finding_registration", "withdrawal_finding", ["registration_id"])
    op.create_index("ix_pair_verdict_person", "pair_verdict", ["person_hash"])


def downgrade() -> None:
    op.drop_index("ix_pair_verdict_person", "pair_verdict")
    op.drop_index("ix_withdrawal_finding_registration", "withdrawal_finding")
    op.drop_table("erasure_request")
    op.drop_table("legal_hold")
    op.drop_table("purge_run")
    op.drop_table("day_count")
