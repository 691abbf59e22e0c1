"""carried registrations

Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "carried_refusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problems", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("declaration_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_carried_refusal_checkpoint_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_carried_refusal_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carried_refusal")),
        sa.UniqueConstraint("client_id", name=op.f("uq_carried_refusal_client_id")),
    )


def downgrade() -> None:
    op.drop_table("carried_refusal")
