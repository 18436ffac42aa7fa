# SPDX-License-Identifier: PostgreSQL
import sqlalchemy
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    op.create_table("orders", sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
                    sqlalchemy.Column("status", sqlalchemy.Text, nullable=False))
