"""how far the re-sealing of each table is

Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sealing_sweep",
        sa.Column("sealed_table", sa.String(length=48), nullable=False),
        sa.Column("key_id", sa.SmallInteger(), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=True),
        sa.Column("looked", sa.BigInteger(), nullable=False),
        sa.Column("resealed", sa.BigInteger(), nullable=False),
        sa.Column("broken", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sealed_table", name=op.f("pk_sealing_sweep")),
    )


def downgrade() -> None:
    op.drop_table("sealing_sweep")
