"""the gate

What a tablet showed off line stands on the crossing; a tablet's token can be rolled, and a revoked one is known again.

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "crossing", sa.Column("shown", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
    )
    op.add_column("crossing", sa.Column("snapshot_version", sa.String(length=120), nullable=True))
    op.add_column("crossing", sa.Column("skew_seconds", sa.Integer(), nullable=True))
    op.add_column("device", sa.Column("next_token_hash", sa.LargeBinary(length=32), nullable=True))
    op.add_column("device", sa.Column("revoked_token_hash", sa.LargeBinary(length=32), nullable=True))
    op.create_index("ix_device_next_token_hash", "device", ["next_token_hash"], unique=True)
    op.create_index("ix_device_revoked_token_hash", "device", ["revoked_token_hash"], unique=True)
    op.create_index(
        "ix_assessment_afterwards",
        "assessment",
        ["made_at"],
        postgresql_where=sa.text("cause NOT IN ('submit', 'amend')"),
        sqlite_where=sa.text("cause NOT IN ('submit', 'amend')"),
    )
    op.create_index(
        "ix_pass_revoked",
        "pass",
        ["expires_at"],
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_pass_revoked", "pass")
    op.drop_index("ix_assessment_afterwards", "assessment")
    op.drop_index("ix_device_revoked_token_hash", "device")
    op.drop_index("ix_device_next_token_hash", "device")
    op.drop_column("device", "revoked_token_hash")
    op.drop_column("device", "next_token_hash")
    op.drop_column("crossing", "skew_seconds")
    op.drop_column("crossing", "snapshot_version")
    op.drop_column("crossing", "shown")
