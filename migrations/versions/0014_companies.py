"""companies

Revises: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = "state IN ('applied', 'asked', 'active')"
LISTED = "removed_at IS NULL AND {} IS NOT NULL"


def _where(condition: str) -> dict[str, sa.TextClause]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def _of_company(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company_id"], ["company.id"], name=op.f(f"fk_{table}_company_id"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "company",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("contact_name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("contact_phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("liaison_id", sa.Uuid(), nullable=True),
        sa.Column("invited_until", TIME, nullable=True),
        sa.Column("link_epoch", sa.SmallInteger(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["division_code"], ["division.code"], name=op.f("fk_company_division_code")),
        sa.ForeignKeyConstraint(["liaison_id"], ["user_account.id"], name=op.f("fk_company_liaison_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
    )
    op.create_index("ix_company_division", "company", ["division_code", "state"])
    op.create_index("ix_company_liaison", "company", ["liaison_id"], unique=True)
    op.create_index("ix_company_credit", "company", ["credit_code"], unique=True, **_where(LIVE))

    op.create_table(
        "company_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        _of_company("company_step"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_step")),
    )
    op.create_index("ix_company_step_company", "company_step", ["company_id", "at"])

    op.create_table(
        "company_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_type", sa.String(length=16), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("plate_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("plate_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("standing_since", TIME, nullable=False),
        sa.Column("standing_until", TIME, nullable=True),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        _of_company("company_member"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_member")),
    )
    op.create_index("ix_company_member_company", "company_member", ["company_id", "removed_at"])
    for name, column in (("person", "id_number_hash"), ("lorry", "plate_hash")):
        op.create_index(
            f"ix_company_member_{name}",
            "company_member",
            [column, "company_id"],
            unique=True,
            **_where(LISTED.format(column)),
        )
    op.create_index(
        "ix_company_member_until", "company_member", ["standing_until"], **_where("standing_until IS NOT NULL")
    )

    op.create_table(
        "company_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("good_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("bad_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("bad_rows", sa.Integer(), nullable=False),
        sa.Column("done", DOCUMENT, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        _of_company("company_import"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_import")),
    )
    op.create_index("ix_company_import_company", "company_import", ["company_id"])
    op.create_index("ix_company_import_made", "company_import", ["made_at"])

    op.create_table(
        "company_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=True),
        _of_company("company_notice"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["company_member.id"], name=op.f("fk_company_notice_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_notice")),
    )
    op.create_index("ix_company_notice_company", "company_notice", ["company_id", "made_at"])
    op.create_index(op.f("ix_company_notice_member_id"), "company_notice", ["member_id"])

    op.create_table(
        "company_delivery",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["company_notice.id"], name=op.f("fk_company_delivery_notice_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["channel_target.id"], name=op.f("fk_company_delivery_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_delivery")),
        sa.UniqueConstraint("notice_id", "target_id", name=op.f("uq_company_delivery_notice_id_target_id")),
    )
    op.create_index("ix_company_delivery_state", "company_delivery", ["state", "target_id"])
    op.create_index(op.f("ix_company_delivery_target_id"), "company_delivery", ["target_id"])

    op.create_table(
        "company_look",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("looked_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_company_look")),
    )
    # What has changed in the registry is carried to the lists from here; its keys only grow, so it costs an insert little.
    op.create_index("ix_registration_updated", "registration", ["updated_at"])


def downgrade() -> None:
    op.drop_index("ix_registration_updated", table_name="registration")
    for table in (
        "company_look",
        "company_delivery",
        "company_notice",
        "company_import",
        "company_member",
        "company_step",
        "company",
    ):
        op.drop_table(table)
