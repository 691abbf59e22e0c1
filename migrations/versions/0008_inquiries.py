"""inquiries

Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "inquiry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("case_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("problem_data", DOCUMENT, nullable=True),
        sa.Column("file_format", sa.String(length=8), nullable=False),
        sa.Column("encoding", sa.String(length=12), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mapping", DOCUMENT, nullable=True),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bad_rows", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=True),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("matched_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", sa.String(length=60), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
    )
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.create_index("ix_inquiry_state", ["state", "valid_until"], unique=False)
        batch_op.create_index("ix_inquiry_created", ["created_at"], unique=False)
    op.create_table(
        "inquiry_chunk",
        sa.Column("inquiry_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bad_rows", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_inquiry_chunk_inquiry_id_inquiry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("inquiry_id", "number", name=op.f("pk_inquiry_chunk")),
    )
    _hits()


def _hits() -> None:
    op.create_table(
        "inquiry_hit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inquiry_id", sa.Uuid(), nullable=False),
        sa.Column("person_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("listed_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("listed_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=True),
        sa.Column("holders", sa.SmallInteger(), nullable=False),
        sa.Column("levels", DOCUMENT, nullable=False),
        sa.Column("weights", DOCUMENT, nullable=False),
        sa.Column("found_by", sa.String(length=12), nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.String(length=8), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_inquiry_hit_inquiry_id_inquiry"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_inquiry_hit_registration_id_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry_hit")),
    )
    with op.batch_alter_table("inquiry_hit", schema=None) as batch_op:
        batch_op.create_index("ix_inquiry_hit_person", ["inquiry_id", "person_hash"], unique=True)
        batch_op.create_index("ix_inquiry_hit_queue", ["outcome", "decision", "found_at"], unique=False)
        batch_op.create_index("ix_inquiry_hit_registration", ["registration_id"], unique=False)
    op.create_table(
        "pair_verdict",
        sa.Column("listed_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("person_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("is_same", sa.Boolean(), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.PrimaryKeyConstraint("listed_hash", "person_hash", name=op.f("pk_pair_verdict")),
    )


def downgrade() -> None:
    for table in ("pair_verdict", "inquiry_hit", "inquiry_chunk", "inquiry"):
        op.drop_table(table)
