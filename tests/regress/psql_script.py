# SPDX-License-Identifier: PostgreSQL
"""What psql would send of a script (manual: "psql"): statements are cut as it cuts them, its own commands and COPY's
data are left out, and variables stand for their names where their value comes from a query."""
import re

SENDERS = {"g", "gx", "gset", "gexec", "gdesc", "crosstabview", "watch"}
COPY_IN = re.compile(r"\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
STRINGS = re.compile(r"\s*(?:set\s+standard_conforming_strings\s*(?:=|to)\s*'?(\w+)|reset\s+(standard_conforming_strings|all)\b)",
                     re.IGNORECASE)
TOKENS = re.compile(r"""
    (?P<comment>--[^\r\n]*)
  | (?P<block>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*')
  | (?P<quoted>'(?:[^']|'')*')
  | (?P<name>"(?:[^"]|"")*")
  | (?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$)
  | (?P<word>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)
  | (?P<number>[0-9][0-9A-Za-z_.]*)
  | (?P<cast>::|:=)
  | (?P<variable>:(?:'(?P<literal>[A-Za-z0-9_]+)'|"(?P<identifier>[A-Za-z0-9_]+)"|(?P<plain>[A-Za-z_][A-Za-z0-9_]*)))
  | (?P<join>\\;)
  | (?P<command>\\[^\s\\]+)
  | (?P<other>.)
""", re.VERBOSE | re.DOTALL)
LAX_STRING = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
DEFINITION = re.compile(r"c(f|p|or(f|p))")


class Statement:
    def __init__(self, line, text, has_standard_strings):
        self.line = line
        self.text = text
        self.has_standard_strings = has_standard_strings


class Script:
    """One walk over one script."""

    def __init__(self, text):
        self.text = text
        self.at = 0
        self.variables = {}
        self.has_standard_strings = True
        self.statements = []
        self.reset()

    def reset(self):
        self.pieces = []
        self.start = None
        self.depth = 0
        self.begins = 0
        self.initials = ""

    def add(self, piece):
        if self.start is None and piece.strip():
            self.start = self.at
        self.pieces.append(piece)

    def end_of_line(self, start):
        end = self.text.find("\n", start)
        return len(self.text) if end < 0 else end

    def skip_data(self):
        """COPY's lines, up to the one that ends them."""
        self.at = self.end_of_line(self.at) + 1
        while self.at < len(self.text):
            end = self.end_of_line(self.at)
            line = self.text[self.at:end]
            self.at = end + 1
            if line.rstrip("\r") == "\\.":
                return

    def send(self):
        text = "".join(self.pieces).strip()
        start = self.start
        self.reset()
        if start is None:
            return
        self.statements.append(Statement(self.text.count("\n", 0, start) + 1, text, self.has_standard_strings))
        strings = STRINGS.match(text)
        if strings:
            self.has_standard_strings = bool(strings[2]) or strings[1].lower() in ("on", "true", "yes", "1")
        if COPY_IN.match(text):
            self.skip_data()

    def take_block(self):
        """A comment and those in it; false where it has no end."""
        depth = 0
        for mark in re.compile(r"/\*|\*/").finditer(self.text, self.at):
            depth += 1 if mark[0] == "/*" else -1
            if depth == 0:
                self.add(self.text[self.at:mark.end()])
                self.at = mark.end()
                return
        self.add(self.text[self.at:])
        self.at = len(self.text)

    def take_dollar(self, tag):
        end = self.text.find(tag, self.at + len(tag))
        end = len(self.text) if end < 0 else end + len(tag)
        self.add(self.text[self.at:end])
        self.at = end

    def take_word(self, word):
        """psql's rule for BEGIN ATOMIC."""
        word = word.lower()
        if word in ("create", "function", "procedure", "or", "replace") and len(self.initials) < 4:
            self.initials += word[0]
        if self.depth > 0 or not DEFINITION.match(self.initials):
            return
        if word == "begin" or (word == "case" and self.begins > 0):
            self.begins += 1
        elif word == "end" and self.begins > 0:
            self.begins -= 1

    def take_command(self, command):
        end = self.end_of_line(self.at)
        words = self.text[self.at + len(command):end].split(" -- ")[0].split()
        name = command[1:]
        if name == "set" and words:
            self.variables[words[0]] = "".join(word.strip("'") for word in words[1:])
        self.at = end
        if name in SENDERS:
            self.send()
        elif name in ("r", "reset"):
            self.reset()
        elif name == "copy" and re.search(r"\bfrom\s+stdin\b", " ".join(words), re.IGNORECASE):
            self.skip_data()

    def value(self, found):
        if found["literal"]:
            return "'" + self.variables.get(found["literal"], found["literal"]).replace("'", "''") + "'"
        if found["identifier"]:
            return '"' + self.variables.get(found["identifier"], found["identifier"]) + '"'
        return self.variables.get(found["plain"], found[0])

    def take(self, found):
        kind, piece = found.lastgroup, found[0]
        if found["variable"]:
            kind, piece = "variable", self.value(found)
        if kind == "command":
            self.take_command(piece)
            return
        if kind == "block":
            self.take_block()
            return
        if kind == "dollar":
            self.take_dollar(piece)
            return
        end = found.end()
        if kind == "quoted" and not self.has_standard_strings:
            lax = LAX_STRING.match(self.text, self.at)
            end = lax.end() if lax else len(self.text)
            piece = self.text[self.at:end]
        if kind == "word":
            self.take_word(piece)
        self.depth += (piece == "(") - (piece == ")" and self.depth > 0)
        self.add(";" if kind == "join" else piece)
        self.at = end
        if piece == ";" and kind == "other" and self.depth == 0 and self.begins == 0:
            self.send()

    def read(self):
        while self.at < len(self.text):
            self.take(TOKENS.match(self.text, self.at))
        self.send()
        return self.statements


def statements(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return Script(file.read()).read()
