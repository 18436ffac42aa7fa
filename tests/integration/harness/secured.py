# SPDX-License-Identifier: PostgreSQL
"""TLS on both legs with one certificate, so that channel binding holds too: the words for the servers and for clients."""
import os

from . import machine


def postgres_words(certificate):
    """For Postgres(...)."""
    return {"ssl": "on", "ssl_cert_file": certificate.path, "ssl_key_file": certificate.key,
            "ssl_ca_file": certificate.authority}


def sluice_words(certificate, postgres):
    """For Sluice(...): it takes no client without TLS, and trusts no other server."""
    return {
        "listen": [{"address": f"127.0.0.1:{machine.free_port()}", "upstream": "main",
                    "tls": {"mode": "require", "certificate": certificate.path, "key": certificate.key}}],
        "upstreams": [{"name": "main", "hosts": [f"127.0.0.1:{postgres.port}"],
                       "tls": {"mode": "verify-full", "ca": certificate.authority}}],
    }


def environment(certificate=None):
    """For clients that use libpq: with the certificate they trust nobody else, without one they do not encrypt."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    own["HOME"] = machine.new_folder()  # where nobody has certificates
    if certificate is None:
        return {**own, "PGSSLMODE": "disable"}
    return {**own, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": certificate.authority}
