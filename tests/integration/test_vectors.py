# SPDX-License-Identifier: PostgreSQL
"""What the clients of tests/vectors say, said to a real server: through the sluice it answers what it answers directly."""
import ast
import glob
import os
import re

from harness import wire
from harness.case import Case, main

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, os.pardir, "vectors")
MESSAGES = os.path.join(HERE, os.pardir, os.pardir, "include", "wire", "messages.def")
# Their point is what stands before the protocol's typed messages, or an exchange of passwords.
ELSEWHERE = {"cancel", "garbage", "ssl_request", "startup_scram", "startup_refused", "negotiate_version"}
FIELD = re.compile(r'\s*(?:#.*|(\w+):(?:("(?:[^"\\]|\\.)*")|(\S*))|("(?:[^"\\]|\\.)*")|(null|\.\.\.))')
SCHEMA = "create table item (id int primary key); insert into item values (10), (11);"


def types_of_messages():
    with open(MESSAGES, encoding="utf-8") as table:
        rows = re.findall(r"""MESSAGE\(CLIENT, '(.)', \w+, "(\w+)\"""", table.read())
    return {name: kind for kind, name in rows}


def field_bytes(label, quoted, bare, plain, word):
    if plain is not None:
        return ast.literal_eval("b" + plain) + b"\0"
    if word == "null":
        return b"\xff\xff\xff\xff"
    if label == "text":
        return ast.literal_eval("b" + quoted)
    if label == "value":
        value = ast.literal_eval("b" + quoted)
        return len(value).to_bytes(4, "big") + value
    if label == "hex":
        return bytes.fromhex(bare)
    if re.fullmatch(r"int(8|16|32)", label):
        size = int(label[3:]) // 8
        return (int(bare, 0) % (1 << 8 * size)).to_bytes(size, "big")
    return label.encode() + ast.literal_eval("b" + quoted) + b"\0"


def fields_bytes(words):
    body = b""
    at = 0
    while at < len(words.rstrip()):
        field = FIELD.match(words, at)
        assert field, words[at:]
        at = field.end()
        if any(group is not None for group in field.groups()):
            body += field_bytes(*field.groups())
    return body


def client_steps(path):
    """(name or None, fields) of what the client sends, in order."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\n[ \t]+(?=\S)", " ", file.read())
    for line in text.splitlines():
        if line.startswith("client: "):
            name, _, words = line[len("client: "):].partition(" ")
            yield name, words
        elif line.startswith("client! "):
            yield None, line[len("client! "):]


def client_bytes(path, types):
    """All that the client sends behind its start-up packet."""
    said = b""
    for name, words in client_steps(path):
        if name is None:
            said += fields_bytes(words)
        elif name != "StartupMessage":
            said += wire.message(types[name], fields_bytes(words))
    return said


def lasting(kind, body):
    """What is the same each time: no cancel key, no process, and of the function that is called, which is random(), only
    whether it answered."""
    if kind == "K":
        return b""
    if kind == "A":
        return body[4:]
    if kind == "V":
        return b"null" if body == b"\xff\xff\xff\xff" else b"a number"
    return body


class Vectors(Case):
    def setUp(self):
        super().setUp()
        self.postgres.run("drop database if exists shop")
        self.postgres.run("drop database if exists shelf")
        self.postgres.run("create database shelf")
        self.postgres.run(SCHEMA + "grant all on item to app;", "shelf")

    def answers(self, port, said):
        """What comes back to the end of the connection, in a database that is always the same."""
        self.postgres.run("drop database if exists shop with (force)")
        self.postgres.run("create database shop template shelf owner app")
        with wire.Wire(("127.0.0.1", port)) as raw:
            greeting = raw.login("app", "shop")
            raw.send(said, wire.sync(), wire.terminate())
            return [(kind, lasting(kind, body)) for kind, body in greeting + raw.rest_messages()]

    def test_clients_of_the_vectors_are_answered_alike(self):
        types = types_of_messages()
        sluices = {mode: self.new_sluice(guard={"mode": mode}) for mode in ("off", "observe")}
        paths = [path for path in sorted(glob.glob(os.path.join(VECTORS, "*.wire")))
                 if os.path.splitext(os.path.basename(path))[0] not in ELSEWHERE]
        self.assertGreater(len(paths), 12)
        for path in paths:
            said = client_bytes(path, types)
            self.assertGreater(len(said), 0, path)
            direct = self.answers(self.postgres.port, said)
            self.assertIn("Z", wire.kinds(direct))
            for mode, sluice in sluices.items():
                with self.subTest(vector=os.path.basename(path), mode=mode):
                    self.assertEqual(self.answers(sluice.port, said), direct)


if __name__ == "__main__":
    main()
