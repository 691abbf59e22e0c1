"""the lane

Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pin_hash", sa.String(length=200), nullable=True))

    with op.batch_alter_table("crossing", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shift_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("vehicle_id", sa.Uuid(), nullable=True))
        batch_op.create_index("ix_crossing_vehicle", ["vehicle_id"], unique=False)

    with op.batch_alter_table("crossing_decision", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shift_id", sa.Uuid(), nullable=True))

    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index("ix_registration_checkpoint", ["checkpoint_id", "created_at"], unique=False)

    op.create_table(
        "officer_shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_officer_shift_checkpoint_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_officer_shift_device_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["user_account.id"], name=op.f("fk_officer_shift_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_shift")),
    )
    with op.batch_alter_table("officer_shift", schema=None) as batch_op:
        batch_op.create_index("ix_officer_shift_checkpoint", ["checkpoint_id", "started_at"], unique=False)
        batch_op.create_index("ix_officer_shift_device", ["device_id", "started_at"], unique=False)

    op.create_table(
        "vehicle_crossing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("plate_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("plate_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_vehicle_crossing_checkpoint_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_vehicle_crossing_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_crossing")),
    )
    with op.batch_alter_table("vehicle_crossing", schema=None) as batch_op:
        batch_op.create_index("ix_vehicle_crossing_checkpoint", ["checkpoint_id", "opened_at"], unique=False)
        batch_op.create_index("ix_vehicle_crossing_plate", ["plate_hash"], unique=False)

    op.create_table(
        "vehicle_passenger",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["vehicle_crossing.id"],
            name=op.f("fk_vehicle_passenger_vehicle_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_vehicle_passenger_registration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vehicle_id", "registration_id", name=op.f("pk_vehicle_passenger")),
    )
    with op.batch_alter_table("vehicle_passenger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vehicle_passenger_registration_id"), ["registration_id"], unique=False)

    op.create_table(
        "spot_test",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("crossing_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["crossing_id"], ["crossing.id"], name=op.f("fk_spot_test_crossing_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_spot_test_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_test")),
    )
    with op.batch_alter_table("spot_test", schema=None) as batch_op:
        batch_op.create_index("ix_spot_test_crossing", ["crossing_id"], unique=False)


def downgrade() -> None:
    op.drop_table("spot_test")
    op.drop_table("vehicle_passenger")
    op.drop_table("vehicle_crossing")
    op.drop_table("officer_shift")

    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index("ix_registration_checkpoint")

    with op.batch_alter_table("crossing_decision", schema=None) as batch_op:
        batch_op.drop_column("shift_id")

    with op.batch_alter_table("crossing", schema=None) as batch_op:
        batch_op.drop_index("ix_crossing_vehicle")
        batch_op.drop_column("vehicle_id")
        batch_op.drop_column("shift_id")

    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_column("pin_hash")
