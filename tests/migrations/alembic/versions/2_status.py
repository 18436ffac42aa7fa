# SPDX-License-Identifier: PostgreSQL
from alembic import op

revision = "2"
down_revision = "1"


def upgrade():
    op.execute("UPDATE orders SET status = lower(status)")
    op.create_check_constraint("orders_status_check", "orders", "status IN ('open', 'paid')")
