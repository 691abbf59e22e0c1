"""how many people each colleague is shown

Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_shown",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("reader", sa.String(length=60), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_shown")),
        sa.UniqueConstraint("reader", "starts_at", name=op.f("uq_people_shown_reader_starts_at")),
    )
    op.create_index("ix_people_shown_starts_at", "people_shown", ["starts_at"])


def downgrade() -> None:
    op.drop_index("ix_people_shown_starts_at", table_name="people_shown")
    op.drop_table("people_shown")
