#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""What docker/Dockerfile says: with the files that .dockerignore lets through the program can be built, it is installed, works, and
the image has the libraries that it needs. The commands of the Dockerfile are run here, but for those that install packages."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "/usr/local"


def stages():
    """The instructions of each stage: (word, rest) with continued lines put together."""
    text = re.sub(r"^#.*\n", "", (ROOT / "docker/Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


def make_context(folder):
    """Copies what .dockerignore lets through: nothing but what stands behind a "!", and of that not what stands behind "**/"."""
    first, *lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    wanted = [line[1:] for line in lines if line.startswith("!")]
    unwanted = [line[3:] for line in lines if line.startswith("**/")]
    assert first == "*" and lines == [f"!{name}" for name in wanted] + [f"**/{name}" for name in unwanted], lines
    for source, target in ((ROOT / name, folder / name) for name in wanted):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*unwanted))
        else:
            shutil.copy(source, target)


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout[-5000:]}"
    return done.stdout


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="pgsluice-test-image-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.context = cls.folder / "source"
        cls.prefix = cls.folder / "installed"
        cls.build_stage, cls.run_stage = stages()
        make_context(cls.context)
        commands = [rest for word, rest in cls.build_stage if word == "RUN" and "tests/install.sh" not in rest]
        assert any(PREFIX in command for command in commands), commands
        for command in commands:
            run("sh", "-c", command.replace(f"--prefix {PREFIX}", f"--prefix {cls.prefix}"), cwd=cls.context,
                env={**os.environ, "SECONDS": "1"})
        cls.program = str(cls.prefix / "bin/pgsluice")

    def test_the_program_runs_with_the_settings_of_the_image(self):
        self.assertRegex(run(self.program, "--version"), r"^pgsluice \d+\.\d+")
        self.assertIn(("COPY", "docker/pgsluice.yaml /etc/pgsluice/pgsluice.yaml"), self.run_stage)
        run(self.program, "check", "--config", str(self.context / "docker/pgsluice.yaml"))

    def test_the_image_has_the_libraries_that_the_program_needs(self):
        packages = set(re.search(r"apt-get -q install -y --no-install-recommends ([^&]*)", " ".join(
            rest for word, rest in self.run_stage if word == "RUN"))[1].split())
        needed = re.findall(r"NEEDED\).*\[(.*)\]", run("readelf", "-d", self.program))
        places = dict(re.findall(r"^\s*(\S+) => (\S+)", run("ldd", self.program), re.MULTILINE))
        self.assertGreater(len(needed), 5)
        for library in needed:
            place = Path(places[library]).resolve()
            owners = re.findall(r"^([^:\s]+).*: ", run("dpkg", "-S", f"*/{place.parent.name}/{place.name}"), re.MULTILINE)
            self.assertTrue(set(owners) & (packages | {"libc6"}), f"{library} is of {owners}")

    def test_the_compiler_made_use_of_what_it_was_shown(self):
        """The session core takes about an eighth fewer instructions than bench/instructions.txt has, which is of a plain build."""
        done = subprocess.run(["bash", "bench/instructions.sh", "--check"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                              check=False, env={**os.environ, "BUILD": str(self.context / "build/tuned")})
        if done.returncode == 77:
            self.skipTest("instructions cannot be compared here")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertLess(float(re.search(r"^prepared .* ([-+][\d.]+) %", done.stdout, re.MULTILINE)[1]), -5, done.stdout)

    def test_it_moves_bytes_counts_and_guards_as_any_other_build(self):
        for topic in ("io", "violations", "guard"):
            run(sys.executable, "-B", str(ROOT / f"tests/integration/test_{topic}.py"),
                env={**os.environ, "PGSLUICE": self.program})


if __name__ == "__main__":
    unittest.main(verbosity=2)
