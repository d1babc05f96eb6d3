"""Certificate authorities and leaves, made with openssl."""

import subprocess

from .sandbox import scratch


def _openssl(*words):
    subprocess.run(["openssl", *[str(word) for word in words]], check=True, capture_output=True)


def make_leaf(authority, folder):
    """Makes a CA (scratch()/<authority>.crt) and, in `folder`, tls.crt and tls.key for 127.0.0.1 signed by it."""
    folder.mkdir()
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    ca, ca_key = scratch() / f"{authority}.crt", scratch() / f"{authority}.key"
    _openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-subj", f"/CN={authority}", "-days", "2")
    request, extensions = scratch() / "leaf.csr", scratch() / "leaf.extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n", encoding="ascii")
    _openssl("req", *new_key, "-keyout", folder / "tls.key", "-out", request, "-subj", "/CN=leaf")
    _openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out",
             folder / "tls.crt", "-days", "1", "-extfile", extensions)
    return ca.read_text(encoding="ascii")
