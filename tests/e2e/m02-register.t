#!/usr/bin/env python3
"""scripts/register-webhook fills in the CA and the address, and nothing else."""

import base64
import re
import subprocess

from rig import ROOT, done, enter_sandbox, like, same, scratch

enter_sandbox()
MANIFEST = (ROOT / "manifests/base/webhook.yaml").read_text(encoding="utf-8")
CA = scratch() / "ca.crt"
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                scratch() / "ca.key", "-out", CA, "-subj", "/CN=test", "-days", "2"], check=True, capture_output=True)


def register(*words):
    return subprocess.run([ROOT / "scripts/register-webhook", *words], capture_output=True, text=True, check=False)


def split(text):
    """The block clientConfig, and the rest."""
    block = re.search(r"^  clientConfig:\n((?: {4,}.*\n)+)", text, re.M)
    return block.group(1), text.replace(block.group(0), "")


by_url = register("--ca-file", CA, "--url", "https://127.0.0.1:9443/mutate")
block, rest = split(by_url.stdout)
bundle = base64.b64encode(CA.read_bytes()).decode()
same(block, f'    url: "https://127.0.0.1:9443/mutate"\n    caBundle: {bundle}\n', "URL and CA are filled in")
same(rest, split(MANIFEST)[1], "and all else is the manifest")
by_service = register("--ca-file", CA, "--service", "here/there:8443")
same(split(by_service.stdout)[0], "    service:\n      name: there\n      namespace: here\n      path: /mutate\n"
     f"      port: 8443\n    caBundle: {bundle}\n", "so are a Service and CA")
plain = register("--ca-file", CA)
same(split(plain.stdout)[0], split(MANIFEST)[0] + f"    caBundle: {bundle}\n", "without either, the manifest's Service stays")

for words, code, pattern in (
        ((), 2, "--cert-dir and --ca-file"),
        (("--ca-file", CA, "--cert-dir", "x"), 2, "--cert-dir and --ca-file"),
        (("--ca-file",), 2, "needs a value"),
        (("--ca-file", CA, "--uri", "x"), 2, "unknown argument '--uri'"),
        (("--ca-file", CA, "--url", "http://127.0.0.1/mutate"), 2, "https"),
        (("--ca-file", CA, "--url", "https://127.0.0.1/mutate?x=1"), 2, "path only"),
        (("--ca-file", CA, "--url", "https://127.0.0.1/", "--service", "a/b"), 2, "exclude"),
        (("--ca-file", CA, "--service", "b"), 2, "NAMESPACE/NAME"),
        (("--ca-file", scratch() / "none"), 3, "cannot read"),
        (("--ca-file", ROOT / "manifests/base/webhook.yaml"), 3, "not a certificate")):
    result = register(*words)
    what = " ".join(str(word) for word in words) or "no argument"
    same((result.returncode, result.stdout), (code, ""), f"{what}: exit code {code}")
    like(result.stderr, pattern, f"{what}: and says why")
done()
