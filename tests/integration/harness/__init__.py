# SPDX-License-Identifier: PostgreSQL
"""What the integration tests stand on: a private PostgreSQL, the program, and peers that speak raw bytes."""
