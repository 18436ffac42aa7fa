# SPDX-License-Identifier: PostgreSQL
"""Certificates for the tests, made by the openssl command."""
import os
import shutil
import subprocess

from . import machine

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_authority(folder, name="authority"):
    """The paths of a certificate that signs others, and of its key."""
    path, key = os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", key, "-out", path)
    return path, key


def make_request(folder, name):
    """The paths of a certificate to be, of its key, and of the request for it."""
    path, key, request = (os.path.join(folder, f"{name}.{kind}") for kind in ("crt", "key", "csr"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request)
    return path, key, request


def make_signed(folder, name, authority, authority_key, extension=NAMES):
    """The paths of a certificate that the authority signed, and of its key."""
    path, key, request = make_request(folder, name)
    words = os.path.join(folder, f"{name}.extension")
    with open(words, "w", encoding="ascii") as file:
        file.write(extension)
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-days", "2",
            "-sha256", "-extfile", words, "-out", path)
    return path, key


def make_expired(folder, name, authority, authority_key):
    """As make_signed, but its time was over in the year 2001."""
    path, key, request = make_request(folder, name)
    ledger = os.path.join(folder, f"{name}.ledger")
    os.mkdir(ledger)
    words = os.path.join(ledger, "words")
    with open(words, "w", encoding="ascii") as file:
        file.write(f"[ca]\ndefault_ca=own\n[own]\ndatabase={ledger}/index\nnew_certs_dir={ledger}\nserial={ledger}/serial\n"
                   f"default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n[names]\n{NAMES}\n")
    with open(os.path.join(ledger, "index"), "w", encoding="ascii"):
        pass
    openssl("ca", "-batch", "-config", words, "-create_serial", "-cert", authority, "-keyfile", authority_key, "-in", request,
            "-out", path, "-notext", "-startdate", "20000101000000Z", "-enddate", "20010101000000Z", "-extensions", "names")
    return path, key


class Certificate:
    """A server's certificate for localhost, its key, and the authority that signed it; for one owner."""

    def __init__(self, owner):
        folder = machine.new_folder(owner)
        self.authority, authority_key = make_authority(folder)
        self.path, self.key = make_signed(folder, "localhost", self.authority, authority_key)
        if os.geteuid() == 0:
            shutil.chown(self.key, owner, owner)
        os.chmod(self.key, 0o600)
