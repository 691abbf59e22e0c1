"""accounts: invitations, sessions, the second step, what a token may do

Revises: 0016
"""

import secrets
import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f(f"fk_{table}_user_id"))


def upgrade() -> None:
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scopes", DOCUMENT, nullable=True))
        batch_op.add_column(sa.Column("last_used_at", TIME, nullable=True))
    op.create_table(
        "user_invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        _of_user("user_invitation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_invitation_token_hash")),
    )
    op.create_index("ix_user_invitation_user_id", "user_invitation", ["user_id"])
    op.create_table(
        "user_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=48), nullable=False),
        sa.Column("has_code", sa.Boolean(), nullable=False),
        _of_user("user_session"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_user_session_key_hash")),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    op.create_table(
        "user_totp",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _of_user("user_totp"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_totp")),
    )
    op.create_index("ix_user_totp_user_id", "user_totp", ["user_id"])
    op.create_table(
        "user_recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        _of_user("user_recovery_code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_recovery_code")),
    )
    op.create_index("ix_user_recovery_code_user_id", "user_recovery_code", ["user_id", "code_hash"])
    _carry_invitations()


def _carry_invitations() -> None:
    """Companies kept the end of their invitation themselves.

    SQLite drops the column in place: to copy the table and drop the old one would take its rows' children along.
    """
    company = sa.table("company", sa.column("liaison_id", sa.Uuid()), sa.column("invited_until", TIME))
    invitation = sa.table(
        "user_invitation",
        sa.column("id", sa.Uuid()),
        sa.column("user_id", sa.Uuid()),
        sa.column("token_hash", sa.LargeBinary()),
        sa.column("made_at", TIME),
        sa.column("expires_at", TIME),
    )
    bind = op.get_bind()
    invited = sa.select(company).where(company.c.invited_until.is_not(None), company.c.liaison_id.is_not(None))
    for user_id, until in bind.execute(invited).all():
        bind.execute(
            sa.insert(invitation).values(
                id=uuid.uuid4(), user_id=user_id, token_hash=secrets.token_bytes(32), made_at=until, expires_at=until
            )
        )
    op.execute("ALTER TABLE company DROP COLUMN invited_until")


def downgrade() -> None:
    op.add_column("company", sa.Column("invited_until", TIME, nullable=True))
    for table in ("user_recovery_code", "user_totp", "user_session", "user_invitation"):
        op.drop_table(table)
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_column("last_used_at")
        batch_op.drop_column("scopes")
