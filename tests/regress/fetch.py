# SPDX-License-Identifier: PostgreSQL
"""PostgreSQL's own regression scripts, out of the source package that the machine's archive has."""
import os
import pathlib
import re
import subprocess
import tarfile

SCRIPTS = "src/test/regress/sql/"
PACKAGE = "postgresql-15"


class Unavailable(Exception):
    """The archive could not be reached, or does not have the package."""


def run(folder, *words):
    config = {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C"}
    done = subprocess.run(words, cwd=folder, env=config, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def source_entries():
    """The machine's own settings of the distribution's archive, asking for sources: (file name, text)."""
    etc = pathlib.Path("/etc/apt")
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        text = path.read_text() if path.exists() else ""
        lines = [line for line in text.splitlines() if re.match(r"deb(-src)?\s.*\bmain\b", line)]
        if lines:
            yield path.name, "\n".join(re.sub(r"^deb(-src)?\s", "deb-src ", line) for line in lines) + "\n"
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        text = path.read_text()
        if re.search(r"^Components:.*\bmain\b", text, re.MULTILINE):
            yield path.name, re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.MULTILINE)


def configure(folder):
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in source_entries():
        (folder / "parts" / name).write_text(text)
    (folder / "apt.conf").write_text(f"""
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "{folder}/parts";
APT::Sandbox::User "root";
""")


def versions(folder):
    """What the archive has, the version of the installed server first."""
    installed = run(folder, "dpkg-query", "-W", "-f", "${Version}", PACKAGE)[1]
    offered = re.findall(r"^Version: (\S+)$", run(folder, "apt-cache", "showsrc", PACKAGE)[1], re.MULTILINE)
    return sorted(offered, key=lambda version: version != installed)


def download(folder):
    configure(folder)
    said = run(folder, "apt-get", "-q", "update")[1]
    for version in versions(folder):
        status, said = run(folder, "apt-get", "-q", "source", "--download-only", f"{PACKAGE}={version}")
        if status == 0:
            return
    raise Unavailable(said[-2000:])


def unpack(archive, folder):
    """The scripts alone; each is put in place whole."""
    with tarfile.open(archive) as source:
        for member in source:
            name = member.name.partition("/")[2]
            if member.isfile() and name.startswith(SCRIPTS) and name.endswith(".sql"):
                (folder / pathlib.Path(name).name).write_bytes(source.extractfile(member).read())


def scripts(folder):
    """The paths of the scripts, fetched below `folder` when they are not there yet."""
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "unpacked"
    if not done.exists():
        if not list(folder.glob("*.orig.tar.*")):
            download(folder)
        place = folder / "sql"
        place.mkdir(exist_ok=True)
        unpack(next(path for path in sorted(folder.glob("*.orig.tar.*")) if not path.name.endswith(".asc")), place)
        done.touch()
    return sorted((folder / "sql").glob("*.sql"))
