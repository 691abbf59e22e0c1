"""surveillance

Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("registration", sa.Column("doubt", sa.String(length=16), nullable=True))
    op.create_index(
        "ix_registration_doubt",
        "registration",
        ["doubt"],
        postgresql_where=sa.text("doubt IS NOT NULL"),
        sqlite_where=sa.text("doubt IS NOT NULL"),
    )
    op.add_column("alert", sa.Column("group_key", sa.String(length=40), nullable=True))
    op.create_index(
        "ix_alert_group",
        "alert",
        ["group_key", "division_code"],
        postgresql_where=sa.text("group_key IS NOT NULL"),
        sqlite_where=sa.text("group_key IS NOT NULL"),
    )
    op.add_column("policy", sa.Column("withdrawn_at", TIME, nullable=True))
    _risk_changes()
    _work()
    _around()


def _risk_changes() -> None:
    op.create_table(
        "risk_change",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("list_id", BIG, nullable=True),
        sa.Column("policy_id", BIG, nullable=True),
        sa.Column("everyone", sa.Boolean(), nullable=False),
        sa.Column("judged_from", TIME, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["risk_list.id"], name=op.f("fk_risk_change_list_id_risk_list")),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name=op.f("fk_risk_change_policy_id_policy")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_risk_change")),
    )
    op.create_table(
        "risk_change_county",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("county_code", sa.String(length=12), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version"],
            ["risk_change.version"],
            name=op.f("fk_risk_change_county_version_risk_change"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version", "county_code", name=op.f("pk_risk_change_county")),
    )


def _work() -> None:
    op.create_table(
        "reassess_job",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("planned_at", TIME, nullable=False),
        sa.Column("swept_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["version"], ["risk_change.version"], name=op.f("fk_reassess_job_version_risk_change")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_reassess_job")),
    )
    with op.batch_alter_table("reassess_job", schema=None) as batch_op:
        batch_op.create_index("ix_reassess_job_open", ["finished_at"], unique=False)
    op.create_table(
        "reassess_batch",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("raised", sa.Integer(), nullable=False),
        sa.Column("lowered", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("retracted", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"],
            ["reassess_job.version"],
            name=op.f("fk_reassess_batch_version_reassess_job"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version", "number", name=op.f("pk_reassess_batch")),
    )
    with op.batch_alter_table("reassess_batch", schema=None) as batch_op:
        batch_op.create_index("ix_reassess_batch_open", ["done_at", "version", "number"], unique=False)
    op.create_table(
        "reassess_item",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("tier_before", sa.String(length=8), nullable=False),
        sa.Column("tier_after", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(
            ["version"],
            ["reassess_job.version"],
            name=op.f("fk_reassess_item_version_reassess_job"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version", "registration_id", name=op.f("pk_reassess_item")),
    )
    with op.batch_alter_table("reassess_item", schema=None) as batch_op:
        batch_op.create_index("ix_reassess_item_number", ["version", "number"], unique=False)


def _around() -> None:
    op.create_table(
        "withdrawal_finding",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=True),
        sa.Column("decision", sa.String(length=32), nullable=True),
        sa.Column("tier_before", sa.String(length=8), nullable=False),
        sa.Column("tier_after", sa.String(length=8), nullable=False),
        sa.Column("looked_at", TIME, nullable=True),
        sa.Column("looked_by", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_withdrawal_finding_registration_id_registration"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["risk_change.version"], name=op.f("fk_withdrawal_finding_version_risk_change")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal_finding")),
    )
    with op.batch_alter_table("withdrawal_finding", schema=None) as batch_op:
        batch_op.create_index("ix_withdrawal_finding_object", ["version", "kind", "object_id"], unique=True)
        batch_op.create_index("ix_withdrawal_finding_open", ["looked_at", "version"], unique=False)
    op.create_table(
        "risk_feed",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("interval_minutes", sa.Integer(), nullable=False),
        sa.Column("silent_hours", sa.Integer(), nullable=False),
        sa.Column("publishes", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=True),
        sa.Column("tried_at", TIME, nullable=True),
        sa.Column("heard_at", TIME, nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("list_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["risk_list.id"], name=op.f("fk_risk_feed_list_id_risk_list")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_feed")),
    )
    op.create_table(
        "list_impact",
        sa.Column("list_id", BIG, autoincrement=False, nullable=False),
        sa.Column("state_version", sa.Integer(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("counted_at", TIME, nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("data", DOCUMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["risk_list.id"], name=op.f("fk_list_impact_list_id_risk_list"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_list_impact")),
    )


def downgrade() -> None:
    for table in (
        "list_impact",
        "risk_feed",
        "withdrawal_finding",
        "reassess_item",
        "reassess_batch",
        "reassess_job",
        "risk_change_county",
        "risk_change",
    ):
        op.drop_table(table)
    op.drop_column("policy", "withdrawn_at")
    op.drop_index("ix_alert_group", table_name="alert")
    op.drop_column("alert", "group_key")
    op.drop_index("ix_registration_doubt", table_name="registration")
    op.drop_column("registration", "doubt")
