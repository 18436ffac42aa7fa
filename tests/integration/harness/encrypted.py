# SPDX-License-Identifier: PostgreSQL
"""PostgreSQL, the sluice and raw clients that speak TLS."""
import os
import shutil
import ssl

import psycopg2

from . import case, certificate, machine, wire
from .postgres import OWNER, Postgres
from .sluice import Sluice, port_of

SERVER_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")

# The same roles as without TLS, but whoever comes by TCP must encrypt, except plain_user.
HBA = """
local   all all        trust
hostssl all scram_user all scram-sha-256
hostssl all certified  all cert
hostssl all all        all trust
hostnossl all plain_user all trust
hostnossl all plain_scram all scram-sha-256
"""

ROLES = """
create role plain_user login;
create role plain_scram login password 'pass word''s';
create role certified login;
"""


class Papers:
    """Certificates of every kind, made once; each is a pair of paths, of the certificate and of its key.

    sluice, server: signed by `authority`, for localhost and 127.0.0.1; misnamed: for somewhere.test; expired; foreign: by
    `stranger`; client, foreign_client: for the user "certified"."""

    def __init__(self):
        self.folder = machine.new_folder(OWNER)
        self.authority, self.authority_key = certificate.make_authority(self.folder)
        self.stranger, self.stranger_key = certificate.make_authority(self.folder, "stranger")
        self.sluice = self.signed("sluice")
        self.renewed = self.signed("renewed")
        self.server = self.signed("server")
        self.misnamed = self.signed("misnamed", "subjectAltName=DNS:somewhere.test")
        self.expired = certificate.make_expired(self.folder, "expired", self.authority, self.authority_key)
        self.foreign = certificate.make_signed(self.folder, "foreign", self.stranger, self.stranger_key)
        self.client = self.signed("certified", "extendedKeyUsage=clientAuth")
        self.foreign_client = self.signed_by_stranger("certified")
        for name in os.listdir(self.folder):
            if name.endswith(".key"):
                os.chmod(os.path.join(self.folder, name), 0o600)

    def signed(self, name, extension=certificate.NAMES):
        return certificate.make_signed(self.folder, name, self.authority, self.authority_key, extension)

    def signed_by_stranger(self, name):
        folder = os.path.join(self.folder, "strangers")
        os.mkdir(folder)
        return certificate.make_signed(folder, name, self.stranger, self.stranger_key, "extendedKeyUsage=clientAuth")


def papers():
    if "papers" not in case.shared:
        case.shared["papers"] = Papers()
    return case.shared["papers"]


def start_postgres(pair, name="encrypted"):
    """A PostgreSQL that shows this certificate; started when first asked for."""
    if name not in case.shared:
        folder = machine.new_folder(OWNER)
        owned = [shutil.copy(path, folder) for path in (*pair, papers().authority)]
        for path in owned:
            os.chmod(path, 0o600)
            if os.geteuid() == 0:
                shutil.chown(path, OWNER, OWNER)
        server = Postgres(hba=HBA, ssl="on", ssl_cert_file=owned[0], ssl_key_file=owned[1], ssl_ca_file=owned[2],
                          log_connections="on")
        server.run(ROLES)
        case.shared[name] = server
    return case.shared[name]


def client_context(pair=None, authority=None, protocols=("postgresql",)):
    """What a client in Python needs: who it trusts (None: everybody), what it shows, which protocols it offers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = authority is not None
    context.verify_mode = ssl.CERT_REQUIRED if authority else ssl.CERT_NONE
    if authority:
        context.load_verify_locations(authority)
    if pair:
        context.load_cert_chain(*pair)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def server_context(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.set_alpn_protocols(["postgresql"])
    return context


class EncryptedWire(wire.Wire):
    """A raw client that begins with SSLRequest, or with TLS at once; `before` is what is sent before everything and the
    answer to it, which is awaited."""

    def __init__(self, address, context=None, is_direct=False, before=(b"", b""), timeout=20):
        super().__init__(address, timeout)
        try:
            self.socket.sendall(before[0])
            if self.read(len(before[1])) != before[1]:
                raise ConnectionError("another answer than was awaited")
            if not is_direct:
                self.socket.sendall(wire.SSL_REQUEST)
                if self.read(1) != b"S":
                    raise ConnectionError("no TLS here")
            self.socket = (context or client_context()).wrap_socket(self.socket, server_hostname="localhost")
        except OSError:
            self.socket.close()
            raise


def listener(mode="require", pair=None, upstream="main", **more):
    """A listen entry; `pair` is what it shows."""
    tls = {"mode": mode, **more}
    if mode != "disable":
        pair = pair or papers().sluice
        tls.update(certificate=pair[0], key=pair[1])
    return {"address": f"127.0.0.1:{machine.free_port()}", "upstream": upstream, "tls": tls}


def upstream(port, mode="verify-full", name="main", host="localhost", **more):
    """An upstreams entry; the modes that verify trust the authority of the papers."""
    tls = {"mode": mode, **more}
    if mode.startswith("verify"):
        tls.setdefault("ca", papers().authority)
    return {"name": name, "hosts": [f"{host}:{port}"], "tls": tls}


class EncryptedCase(case.Case):
    """`doors` are listeners by name, `upstreams` what is behind them; a class has one sluice for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.papers = papers()
        cls.postgres = start_postgres(cls.papers.server)
        cls.doors = cls.make_doors()
        cls.sluice = Sluice(cls.postgres, listen=list(cls.doors.values()), upstreams=cls.make_upstreams(), **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)

    @classmethod
    def make_doors(cls):
        return {"main": listener()}

    @classmethod
    def make_upstreams(cls):
        return [upstream(cls.postgres.port)]

    def port(self, door="main"):
        return port_of(self.doors[door])

    def address(self, door="main"):
        return "127.0.0.1", self.port(door)

    def enter(self, door="main", **how):
        """A connection of libpq."""
        connection = psycopg2.connect(**{"host": "localhost", "hostaddr": "127.0.0.1", "port": self.port(door),
                                         "user": "postgres", "dbname": "postgres", "connect_timeout": 20,
                                         "gssencmode": "disable", **how})
        connection.autocommit = True
        self.addCleanup(connection.close)
        return connection

    def refusal(self, door="main", **how):
        with self.assertRaises(psycopg2.OperationalError) as caught:
            self.enter(door, **how)
        return str(caught.exception)

    def encrypted(self, door="main", context=None, **how):
        raw = EncryptedWire(self.address(door), context, **how)
        self.addCleanup(raw.close)
        return raw

    def value(self, connection, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

    def shown(self, connection):
        """The session's row in SHOW SESSIONS."""
        name = f"shown {connection.info.backend_pid}"
        self.value(connection, f"select set_config('application_name', '{name}', false)")
        return self.wait_for(lambda: next((row for row in self.sluice.console("SHOW SESSIONS")
                                           if row["application_name"] == name), None), "the session is shown")

    def refused_reason(self, words, sluice=None):
        self.wait_for(lambda: any(words in row.get("reason", "") for row in (sluice or self.sluice).events("session_refused")),
                      f"the log says: {words}")
