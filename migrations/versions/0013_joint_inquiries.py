"""joint inquiries

Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _peers()
    _records()
    _messages()


def _peers() -> None:
    op.create_table(
        "peer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("kid", sa.String(length=16), nullable=False),
        sa.Column("sign_key", sa.LargeBinary(length=65), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(length=65), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("added_by", sa.String(length=60), nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("revoked_by", sa.String(length=60), nullable=True),
        sa.Column("heard_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer")),
        sa.UniqueConstraint("kid", name=op.f("uq_peer_kid")),
    )
    op.create_table(
        "peer_nonce",
        sa.Column("kid", sa.String(length=16), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("kid", "nonce", name=op.f("pk_peer_nonce")),
    )
    with op.batch_alter_table("peer_nonce", schema=None) as batch_op:
        batch_op.create_index("ix_peer_nonce_expires", ["expires_at"], unique=False)
    op.create_table(
        "peer_refusal",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("hour", TIME, nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("kid", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer_refusal")),
        sa.UniqueConstraint("hour", "cause", "kid", name="uq_peer_refusal_hour_cause_kid"),
    )
    with op.batch_alter_table("peer_refusal", schema=None) as batch_op:
        batch_op.create_index("ix_peer_refusal_last", ["last_at"], unique=False)


def _records() -> None:
    op.create_table(
        "joint_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("peer_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("case_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("question_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=True),
        sa.Column("received_at", TIME, nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("handled_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("close_reason", sa.String(length=12), nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_joint_record_peer_id")),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_joint_record_inquiry_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_record")),
        sa.UniqueConstraint("peer_id", "direction", "request_id", name="uq_joint_record_peer_direction_request"),
    )
    with op.batch_alter_table("joint_record", schema=None) as batch_op:
        batch_op.create_index("ix_joint_record_open", ["direction", "closed_at"], unique=False)
        batch_op.create_index("ix_joint_record_changed", ["changed_at"], unique=False)
        batch_op.create_index("ix_joint_record_inquiry", ["inquiry_id"], unique=False)
    op.create_table(
        "joint_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("listed_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answer", DOCUMENT, nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("found_at", TIME, nullable=True),
        sa.Column("handled_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["joint_record.id"], name=op.f("fk_joint_person_record_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_person")),
        sa.UniqueConstraint("record_id", "number", name="uq_joint_person_record_number"),
    )
    op.create_table(
        "joint_step",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("is_theirs", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=True),
        sa.Column("data", DOCUMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["joint_record.id"], name=op.f("fk_joint_step_record_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_step")),
    )
    with op.batch_alter_table("joint_step", schema=None) as batch_op:
        batch_op.create_index("ix_joint_step_record", ["record_id", "at"], unique=False)


def _messages() -> None:
    op.create_table(
        "joint_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("peer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["joint_record.id"], name=op.f("fk_joint_message_record_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_joint_message_peer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_message")),
    )
    with op.batch_alter_table("joint_message", schema=None) as batch_op:
        batch_op.create_index("ix_joint_message_due", ["state", "next_at"], unique=False)
        batch_op.create_index("ix_joint_message_record", ["record_id", "number"], unique=False)
    op.create_table(
        "joint_taken",
        sa.Column("peer_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_joint_taken_peer_id")),
        sa.PrimaryKeyConstraint("peer_id", "message_id", name=op.f("pk_joint_taken")),
    )


def downgrade() -> None:
    for table in ("joint_taken", "joint_message", "joint_step", "joint_person", "joint_record"):
        op.drop_table(table)
    for table in ("peer_refusal", "peer_nonce", "peer"):
        op.drop_table(table)
