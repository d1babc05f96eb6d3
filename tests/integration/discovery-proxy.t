#!/usr/bin/env python3
"""http_sd through proxies: what a proxy that is asked to connect gets to see, whom it is not asked for, and who looks up names."""

import http.server
import json
import pathlib
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import Allocator, done, ok, same, scratch  # noqa: E402

DIR = scratch()
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=sd",
                "-addext", "subjectAltName=DNS:sd.example,IP:127.0.0.1", "-keyout", DIR / "key.pem", "-out", DIR / "cert.pem"],
               check=True, capture_output=True)


class Discovery(http.server.BaseHTTPRequestHandler):
    """Every path is an address; tokens too."""
    protocol_version = "HTTP/1.1"
    seen = []

    def log_message(self, *args):
        pass

    def do_GET(self):
        Discovery.seen.append((self.path, dict(self.headers.items())))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = {"access_token": "t", "token_type": "bearer"} if self.path == "/token" else [{"targets": [self.path.strip("/") + ":1"]}]
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET


def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def join(client, port):
    with socket.create_connection(("127.0.0.1", port)) as server:
        threading.Thread(target=pump, args=(server, client), daemon=True).start()
        pump(client, server)


class Connect(socketserver.StreamRequestHandler):
    """A proxy that connects whoever asks to the one TLS server."""
    seen = []

    def handle(self):
        head = []
        while (line := self.rfile.readline().decode().strip()) != "":
            head.append(line)
        Connect.seen.append(head)
        self.connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        join(self.connection, secure.server_address[1])


class Socks(socketserver.StreamRequestHandler):
    seen = []

    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.connection.sendall(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        Socks.seen.append((kind, self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else self.rfile.read(4)))
        self.rfile.read(2)
        self.connection.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        join(self.connection, plain.server_address[1])


def serve(server):
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


plain = serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Discovery))
secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Discovery)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(DIR / "cert.pem", DIR / "key.pem")
secure.socket = tls.wrap_socket(secure.socket, server_side=True)
serve(secure)
proxy = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connect)).server_address[1]
tls_proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connect)
tls_proxy.socket = tls.wrap_socket(tls_proxy.socket, server_side=True)
tls_proxy = serve(tls_proxy).server_address[1]
socks = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)).server_address[1]


def job(name, url, more):
    return f"""
  - job_name: {name}
    http_sd_configs:
    - url: {url}
      refresh_interval: 5s
      tls_config: {{ca_file: {DIR}/cert.pem, server_name: sd.example}}
""" + "".join(f"      {line}\n" for line in more)


HEADERS = "proxy_connect_header: {X-Who: [me, too], Proxy-Authorization: [Basic eDp5], Host: [other]}"
ta = Allocator("config:\n  scrape_configs:" + "".join([
    job("told", "https://sd.example/told", [f"proxy_url: 'http://127.0.0.1:{proxy}'", HEADERS, "http_headers: {X-End: {values: [end]}}"]),
    job("other", "https://sd.example/other", [f"proxy_url: 'http://127.0.0.1:{proxy}'"]),
    job("named", "https://sd.example/named", [f"proxy_url: 'http://u:p@127.0.0.1:{proxy}'", HEADERS]),
    job("wrapped", "https://sd.example/wrapped", [f"proxy_url: 'https://127.0.0.1:{tls_proxy}'", "proxy_connect_header: {X-Tls: [yes]}"]),
    job("token", f"http://127.0.0.1:{plain.server_address[1]}/token-job",
        [f"oauth2: {{client_id: i, client_secret: s, token_url: 'https://sd.example/token', proxy_url: 'http://127.0.0.1:{proxy}', "
         f"proxy_connect_header: {{X-Token: [t]}}, tls_config: {{ca_file: {DIR}/cert.pem}}}}"]),
    job("straight", f"http://127.0.0.1:{plain.server_address[1]}/straight", ["proxy_url: 'http://127.0.0.1:9'", "no_proxy: 127.0.0.0/8"]),
    job("loopback", f"http://127.0.0.1:{plain.server_address[1]}/loopback", ["proxy_url: 'http://127.0.0.1:9'", "no_proxy: x.example"]),
    job("socks", "http://name.example/socks", [f"proxy_url: 'socks5://127.0.0.1:{socks}'"])]))
ok(ta.ready(), "ready")
for name in ("told", "other", "named", "wrapped", "straight", "loopback", "socks"):
    ok(ta.shows(name, [f"{name}:1"]), f"targets of {name}")
ok(ta.shows("token", ["token-job:1"]), "and with a token that came through the proxy")


def connects(mark):
    return [head for head in Connect.seen if mark in head]


told = connects("X-Who: me")
same(told[0][0], "CONNECT sd.example:443 HTTP/1.1", "the proxy is asked to connect")
same([line for line in told[0] if line.startswith("X-Who")], ["X-Who: me", "X-Who: too"], "with each value")
same([line for line in told[0] if line.startswith("Host")], ["Host: sd.example:443"], "but not with a host that is none")
same({line for head in told for line in head if line.startswith("Proxy-Auth")}, {"Proxy-Authorization: Basic eDp5", "Proxy-Authorization: Basic dTpw"},
     "its own authorization, or that of the URL")
ok(not any("X-End" in line for head in Connect.seen for line in head), "it sees nothing of what is for the server")
seen = [headers for path, headers in Discovery.seen if path == "/told"]
same(("X-Who" in seen[0], seen[0].get("X-End")), (False, "end"), "nor the server what is for the proxy")
ok(connects("X-Token: t"), "the way to the token endpoint has its own")
ok(any(not any("X-" in line for line in head) for head in Connect.seen), "who has no headers goes a way of his own")
ok(connects("X-Tls: yes"), "a proxy that speaks TLS is met with the same authorities")
same(Socks.seen[0], (3, "name.example"), "a SOCKS proxy gets the name")
done()
