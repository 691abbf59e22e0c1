"""work of a day

Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The work that was due on a day is asked for by coverage: without it all work is read for each question.
    op.create_index("ix_follow_up_day", "follow_up", ["due_at", "kind"])


def downgrade() -> None:
    op.drop_index("ix_follow_up_day", "follow_up")
