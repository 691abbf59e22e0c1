"""patrols

Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _points_and_routes()
    _rounds()
    _visits()


def _points_and_routes() -> None:
    op.create_table(
        "patrol_point",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=True),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_patrol_point_checkpoint_id")),
        sa.ForeignKeyConstraint(["division_code"], ["division.code"], name=op.f("fk_patrol_point_division_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_point")),
    )
    op.create_index("ix_patrol_point_division", "patrol_point", ["division_code"], unique=False)
    op.create_table(
        "patrol_route",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_patrol_route_checkpoint_id")),
        sa.ForeignKeyConstraint(["division_code"], ["division.code"], name=op.f("fk_patrol_route_division_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_route")),
    )
    op.create_index(op.f("ix_patrol_route_division_code"), "patrol_route", ["division_code"], unique=False)
    op.create_table(
        "patrol_stop",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["route_id"], ["patrol_route.id"], name=op.f("fk_patrol_stop_route_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["point_id"], ["patrol_point.id"], name=op.f("fk_patrol_stop_point_id")),
        sa.PrimaryKeyConstraint("route_id", "position", name=op.f("pk_patrol_stop")),
    )
    op.create_table(
        "patrol_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("starts_minute", sa.SmallInteger(), nullable=False),
        sa.Column("window_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("weekdays", sa.SmallInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["route_id"], ["patrol_route.id"], name=op.f("fk_patrol_slot_route_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_slot")),
    )
    op.create_index(op.f("ix_patrol_slot_route_id"), "patrol_slot", ["route_id"], unique=False)


def _rounds() -> None:
    op.create_table(
        "patrol_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["route_id"], ["patrol_route.id"], name=op.f("fk_patrol_round_route_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["patrol_slot.id"], name=op.f("fk_patrol_round_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_round")),
        sa.UniqueConstraint("slot_id", "day", name=op.f("uq_patrol_round_slot_id_day")),
    )
    op.create_index(op.f("ix_patrol_round_route_id"), "patrol_round", ["route_id"], unique=False)
    op.create_index("ix_patrol_round_window", "patrol_round", ["closes_at", "opens_at"], unique=False)
    op.create_table(
        "patrol_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["round_id"], ["patrol_round.id"], name=op.f("fk_patrol_task_round_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["point_id"], ["patrol_point.id"], name=op.f("fk_patrol_task_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_task")),
        sa.UniqueConstraint("round_id", "point_id", name=op.f("uq_patrol_task_round_id_point_id")),
    )
    op.create_index("ix_patrol_task_point", "patrol_task", ["point_id"], unique=False)
    op.create_index("ix_patrol_task_state", "patrol_task", ["state"], unique=False)


def _visits() -> None:
    op.create_table(
        "patrol_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("found", sa.String(length=8), nullable=False),
        sa.Column("has_photo", sa.Boolean(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["point_id"], ["patrol_point.id"], name=op.f("fk_patrol_visit_point_id")),
        sa.ForeignKeyConstraint(["task_id"], ["patrol_task.id"], name=op.f("fk_patrol_visit_task_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_patrol_visit_device_id")),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_patrol_visit_checkpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_visit")),
    )
    op.create_index("ix_patrol_visit_point", "patrol_visit", ["point_id", "counted_at"], unique=False)
    op.create_index(op.f("ix_patrol_visit_task_id"), "patrol_visit", ["task_id"], unique=False)
    op.create_table(
        "patrol_photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("image_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["patrol_visit.id"], name=op.f("fk_patrol_photo_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_photo")),
    )


def downgrade() -> None:
    for table in ("photo", "visit", "task", "round", "slot", "stop", "route", "point"):
        op.drop_table(f"patrol_{table}")
