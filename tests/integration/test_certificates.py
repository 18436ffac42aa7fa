# SPDX-License-Identifier: PostgreSQL
"""Certificates: whose are taken on either leg, which cannot be used, and how new ones come into use."""
import os
import re
import shutil
import ssl
import unittest

from harness import encrypted, machine, scripted, wire
from harness.case import Case, main
from harness.certificate import openssl
from harness.encrypted import SERVER_MODES, EncryptedCase, EncryptedWire, listener, papers, upstream
from harness.scripted import ScriptedServer
from harness.sluice import Sluice


class ClientCertificates(EncryptedCase):
    @classmethod
    def make_doors(cls):
        return {"main": listener("verify-client", client_ca=cls.papers.authority)}

    def test_a_certificate_of_the_authority_lets_in(self):
        connection = self.enter(sslmode="require", sslcert=self.papers.client[0], sslkey=self.papers.client[1])
        self.assertEqual(self.value(connection, "select 1"), 1)

    def test_no_certificate_is_refused(self):
        self.assertIn("certificate required", self.refusal(sslmode="require", sslcert=""))
        self.refused_reason("certificate")

    def test_a_certificate_of_somebody_else_is_refused(self):
        pair = self.papers.foreign_client
        self.assertRegex(self.refusal(sslmode="require", sslcert=pair[0], sslkey=pair[1]), "unknown ca|decrypt error")

    def test_a_plain_client_is_refused(self):
        self.assertIn("takes only connections that are encrypted", self.refusal(sslmode="disable"))


class Fake:
    """A server that says it is PostgreSQL, with this certificate; `answer` is what it says to SSLRequest."""

    def __init__(self, pair=None, answer=b"S", **versions):
        self.context = encrypted.server_context(pair) if pair else None
        for name, value in versions.items():
            setattr(self.context, name, value)
        self.answer = answer
        self.startups = []
        self.server = ScriptedServer(self.serve)
        self.port = self.server.port

    def serve(self, peer):
        packet = peer.read_startup()
        if packet == wire.SSL_REQUEST[4:]:
            peer.send(self.answer)
            if self.answer == b"S":
                peer.socket = self.context.wrap_socket(peer.socket, server_side=True)
            packet = peer.read_startup()
        self.startups.append(packet)
        peer.send(scripted.LOGIN)
        peer.read_to_end()


class ServerCertificates(Case):
    """What is asked of the server's certificate; the servers here say to everybody that all is well."""

    @classmethod
    def setUpClass(cls):
        cls.papers = papers()

    def before(self, fake, mode, host="localhost", **more):
        self.addCleanup(fake.server.close)
        door = listener("disable")
        sluice = Sluice([], listen=[door], upstreams=[upstream(fake.port, mode, host=host, **more)])
        self.addCleanup(sluice.stop)
        return sluice

    def assert_passes(self, sluice):
        with wire.Wire(("127.0.0.1", sluice.port)) as raw:
            self.assertEqual(wire.errors(raw.login()), [])

    def assert_refused(self, sluice, fake, *words):
        """The client is told that the server was not reached and why, the log too, and the server got no login."""
        with wire.Wire(("127.0.0.1", sluice.port)) as raw:
            raw.send(wire.startup())
            (error,) = wire.errors(raw.rest_messages())
        self.assertEqual((error["S"], error["C"]), ("FATAL", "08006"))
        self.assertIn('upstream "main"', error["M"])
        reason = self.wait_for(lambda: sluice.events("session_refused"), "the refusal is logged")[-1]["reason"]
        for word in words:
            self.assertIn(word, error["D"])
            self.assertIn(word, reason)
        self.assertEqual(fake.startups, [])

    def test_a_good_certificate_passes_every_mode(self):
        for mode in SERVER_MODES[1:]:
            for host in ("localhost", "127.0.0.1"):
                self.assert_passes(self.before(Fake(self.papers.server), mode, host))

    def test_a_wrong_name_is_only_taken_without_verify_full(self):
        self.assert_passes(self.before(Fake(self.papers.misnamed), "require"))
        self.assert_passes(self.before(Fake(self.papers.misnamed), "verify-ca"))
        for host in ("localhost", "127.0.0.1"):
            fake = Fake(self.papers.misnamed)
            self.assert_refused(self.before(fake, "verify-full", host), fake, "TLS failed", "mismatch")

    def test_another_authority_or_an_expired_certificate_is_not_taken_where_it_is_verified(self):
        for pair, words in ((self.papers.foreign, "unable to get local issuer"), (self.papers.expired, "expired")):
            self.assert_passes(self.before(Fake(pair), "require"))
            for mode in ("verify-ca", "verify-full"):
                fake = Fake(pair)
                self.assert_refused(self.before(fake, mode), fake, "TLS failed", words)

    def test_a_server_without_tls_is_refused_or_taken_as_the_mode_says(self):
        for mode in ("require", "verify-ca", "verify-full"):
            fake = Fake(answer=b"N")
            self.assert_refused(self.before(fake, mode), fake, "offers no TLS")
        self.assert_passes(self.before(Fake(answer=b"N"), "prefer"))

    def test_prefer_does_without_when_the_handshake_fails(self):
        old = {"maximum_version": ssl.TLSVersion.TLSv1_2}
        fake = Fake(self.papers.server, **old)
        self.assert_passes(self.before(fake, "prefer", version_least="1.3"))
        fake = Fake(self.papers.server, **old)
        self.assert_refused(self.before(fake, "require", version_least="1.3"), fake, "TLS failed")

    def test_the_next_host_is_tried_when_one_fails_in_tls(self):
        bad, good = Fake(self.papers.expired), Fake(self.papers.server)
        sluice = self.before(bad, "verify-full")
        self.addCleanup(good.server.close)
        sluice.stop()
        sluice.settings["upstreams"][0]["hosts"].append(f"localhost:{good.port}")
        sluice.write()
        sluice.start()
        self.assert_passes(sluice)
        self.assertEqual((len(bad.startups), len(good.startups)), (0, 1))


class OwnCertificate(EncryptedCase):
    @classmethod
    def make_upstreams(cls):
        return [upstream(cls.postgres.port, certificate=cls.papers.client[0], key=cls.papers.client[1])]

    def test_the_server_may_ask_for_the_sluices_own_certificate(self):
        connection = self.enter(user="certified", sslmode="require")
        self.assertEqual(self.value(connection, "select current_user"), "certified")

    def test_a_client_is_told_when_the_server_does_not_take_it(self):
        """Which the server says behind the handshake, when the client's login is on its way already."""
        pair = self.papers.foreign_client
        sluice = self.new_sluice(listen=[listener("disable")],
                                 upstreams=[upstream(self.postgres.port, certificate=pair[0], key=pair[1])])
        with wire.Wire(("127.0.0.1", sluice.port)) as raw:
            raw.send(wire.startup())
            (error,) = wire.errors(raw.rest_messages())
        self.assertEqual((error["S"], error["C"]), ("FATAL", "08006"))
        self.assertIn('upstream "main"', error["M"])


class Reload(Case):
    """Certificates are read again, by SIGHUP and by RELOAD."""

    def setUp(self):
        self.postgres = encrypted.start_postgres(papers().server)
        self.folder = machine.new_folder()
        self.pair = tuple(os.path.join(self.folder, name) for name in ("own.crt", "own.key"))
        self.put(papers().sluice)
        self.sluice = Sluice(self.postgres, listen=[listener(pair=self.pair)], upstreams=[upstream(self.postgres.port)])
        self.addCleanup(self.sluice.stop)

    @classmethod
    def setUpClass(cls):
        pass

    def put(self, pair):
        shutil.copy(pair[0], self.pair[0])
        shutil.copy(pair[1], self.pair[1])

    def shown(self):
        with EncryptedWire(("127.0.0.1", self.sluice.port)) as raw:
            raw.login()
            return ssl.DER_cert_to_PEM_cert(raw.socket.getpeercert(True))

    def assert_shows(self, pair):
        with open(pair[0], encoding="ascii") as file:
            self.assertEqual(self.shown().split(), file.read().split())

    def reload_by_signal(self, event="reloaded"):
        count = len(self.sluice.events(event))
        self.sluice.hang_up()
        self.wait_for(lambda: len(self.sluice.events(event)) > count, event)

    def test_a_new_certificate_is_for_new_connections_and_open_sessions_go_on(self):
        with EncryptedWire(("127.0.0.1", self.sluice.port)) as raw:
            raw.login()
            self.assert_shows(papers().sluice)
            self.put(papers().renewed)
            self.reload_by_signal()
            self.assert_shows(papers().renewed)
            self.put(papers().sluice)
            self.sluice.console_psql("RELOAD")
            self.assert_shows(papers().sluice)
            self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])

    def break_by(self, how):
        if how == "text":
            with open(self.pair[0], "w", encoding="ascii") as file:
                file.write("no certificate\n")
        elif how == "gone":
            os.remove(self.pair[0])
        elif how == "mismatch":
            shutil.copy(papers().renewed[1], self.pair[1])
        elif how == "cut":
            with open(self.pair[0], "r+", encoding="ascii") as file:
                file.truncate(200)

    def test_a_broken_certificate_leaves_the_old_one_in_use_and_says_so(self):
        for how in ("text", "gone", "mismatch", "cut"):
            with self.subTest(how=how):
                self.put(papers().sluice)
                self.break_by(how)
                problems = len(self.sluice.events("problem"))
                done = self.sluice.console_psql("RELOAD")
                self.assertIn("a certificate could not be read: the old one stays in use", done.stdout + done.stderr)
                new = self.sluice.events("problem")[problems:]
                named = [row for row in new if row["level"] == "error" and self.folder in row["text"]]
                self.assertTrue(named, new)
                self.assertTrue(named[0]["file"].endswith("pgsluice.yaml") and int(named[0]["line"]) > 1, named)
                self.assert_shows(papers().sluice)
        self.put(papers().renewed)
        self.reload_by_signal()
        self.assert_shows(papers().renewed)

    def test_an_upstreams_authority_is_read_again(self):
        own = os.path.join(self.folder, "ca.crt")
        shutil.copy(papers().authority, own)
        sluice = self.new_sluice(listen=[listener()], upstreams=[upstream(self.postgres.port, ca=own)])
        with EncryptedWire(("127.0.0.1", sluice.port)) as raw:
            raw.login()
            shutil.copy(papers().stranger, own)
            sluice.console_psql("RELOAD")
            with EncryptedWire(("127.0.0.1", sluice.port)) as other:
                other.send(wire.startup())
                self.assertEqual(wire.errors(other.rest_messages())[0]["C"], "08006")
            self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])


class Starts(Case):
    """A certificate that cannot be used is told by `check` and at the start, with its file and its place in the settings."""

    @classmethod
    def setUpClass(cls):
        cls.papers = papers()

    def assert_told(self, listen, behind, *words):
        sluice = Sluice([], start=False, listen=[listen], upstreams=[behind])
        status, said = sluice.check()
        self.assertEqual(status, 1, said)
        self.assertRegex(said, r"pgsluice.yaml:\d+:\d+: error: ")
        sluice.launch()
        self.assertEqual(sluice.process.wait(20), 1)
        log = sluice.log()
        self.assertNotIn("Sanitizer", log)
        errors = [row for row in sluice.events("problem") if row["level"] == "error"]
        self.assertTrue(int(errors[0]["line"]) > 1 and errors[0]["file"].endswith("pgsluice.yaml"), errors)
        for word in words:
            self.assertIn(word, said)
            self.assertIn(word, errors[0]["text"])

    def broken(self, name, data):
        path = os.path.join(machine.new_folder(), name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def test_files_that_are_missing_or_of_another_kind_are_told(self):
        certificate, key = self.papers.sluice
        plain = upstream(1, "disable")
        garbage = self.broken("garbage.pem", os.urandom(500))
        folder = machine.new_folder()
        for bad in ("/nowhere/own.crt", garbage, folder, "/dev/null"):
            for pair in ((bad, key), (certificate, bad)):
                with self.subTest(pair=pair):
                    self.assert_told(listener(pair=pair), plain, bad)
            with self.subTest(ca=bad):
                self.assert_told(listener("disable"), upstream(1, ca=bad), bad)
                self.assert_told(listener("verify-client", client_ca=bad), plain, bad)

    def test_a_key_of_another_certificate_is_told(self):
        pair = self.papers.sluice[0], self.papers.renewed[1]
        self.assert_told(listener(pair=pair), upstream(1, "disable"), pair[1])
        self.assert_told(listener("disable"), upstream(1, "require", certificate=pair[0], key=pair[1]), pair[1])

    def test_a_key_that_asks_for_a_password_is_told_without_waiting(self):
        key = os.path.join(machine.new_folder(), "locked.key")
        openssl("pkey", "-in", self.papers.sluice[1], "-aes256", "-passout", "pass:word", "-out", key)
        self.assert_told(listener(pair=(self.papers.sluice[0], key)), upstream(1, "disable"), key)

    def test_what_is_needed_and_missing_is_told(self):
        bare = listener()
        del bare["tls"]["certificate"]
        self.assert_told(bare, upstream(1, "disable"), "listen[0].tls.certificate")
        self.assert_told(listener("verify-client"), upstream(1, "disable"), "listen[0].tls.client_ca")
        self.assert_told(listener(), upstream(1, "prefer", direct=True), "upstreams[0].tls.direct")

    def test_an_expired_certificate_starts_with_a_warning(self):
        sluice = Sluice([], listen=[listener(pair=self.papers.expired)], upstreams=[upstream(1, "disable")])
        self.addCleanup(sluice.stop)
        warnings = [row["text"] for row in sluice.events("problem") if row["level"] == "warning"]
        self.assertTrue(any(self.papers.expired[0] in text and "expired" in text for text in warnings), warnings)


class Manual(unittest.TestCase):
    """The examples of docs/tls.md."""

    def test_each_is_a_settings_file_without_errors(self):
        text = (machine.ROOT / "docs" / "tls.md").read_text(encoding="utf-8")
        examples = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        self.assertGreater(len(examples), 5)
        sluice = Sluice([], start=False)
        for name, path in (("server.crt", papers().sluice[0]), ("server.key", papers().sluice[1]), ("ca.crt", papers().authority),
                           ("client-ca.crt", papers().authority)):
            shutil.copy(path, os.path.join(sluice.folder, name))
        for example in examples:
            with self.subTest(example=example):
                sluice.write(example)
                status, said = sluice.check()
                self.assertEqual(status, 0, said)


if __name__ == "__main__":
    main()
