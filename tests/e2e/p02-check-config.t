#!/usr/bin/env python3
"""`check config` accepts and refuses what promtool of Prometheus 3 accepts and refuses."""

import json
import pathlib
import subprocess

from rig import Allocator, diag, done, enter_sandbox, ok, scratch
from rig.sandbox import server

enter_sandbox()
STATIC = {"job_name": "a", "static_configs": [{"targets": ["h:1"], "labels": {"x": "y"}}]}


def job(**changes):
    return {"scrape_configs": [{**STATIC, **changes}]}


def relabel(**rule):
    return job(relabel_configs=[rule])


CASES = {
    "empty": {},
    "one job": job(),
    "UTF-8 label": job(static_configs=[{"targets": ["h:1"], "labels": {"größe": "1", "a.b": "2"}}]),
    "all actions": job(relabel_configs=[
        {"source_labels": ["a"], "target_label": "b"}, {"regex": "x", "action": "labeldrop"},
        {"regex": "x", "action": "labelkeep"}, {"regex": "x(.*)", "action": "labelmap", "replacement": "$1"},
        {"source_labels": ["a"], "modulus": 3, "target_label": "b", "action": "hashmod"},
        {"source_labels": ["a"], "target_label": "b", "action": "lowercase"},
        {"source_labels": ["a"], "target_label": "b", "action": "keepequal"},
        {"source_labels": ["a"], "action": "keep", "regex": "x"}]),
    "two jobs of one name": {"scrape_configs": [STATIC, STATIC]},
    "no job_name": {"scrape_configs": [{"static_configs": []}]},
    "empty job_name": job(job_name=""),
    "unknown member": job(scrape_intervall="1s"),
    "unknown top member": {"scrape_config": []},
    "interval": job(scrape_interval="1h30m"),
    "bad interval": job(scrape_interval="1x"),
    "number as interval": job(scrape_interval=15),
    "interval 0": job(scrape_interval="0s"),
    "timeout over interval": job(scrape_interval="5s", scrape_timeout="10s"),
    "scheme ftp": job(scheme="ftp"),
    "negative limit": job(sample_limit=-1),
    "body limit": job(body_size_limit="10MB"),
    "bad body limit": job(body_size_limit="10 apples"),
    "bad regex": relabel(source_labels=["a"], target_label="b", regex="("),
    "look-ahead": relabel(source_labels=["a"], target_label="b", regex="(?=x)"),
    "back reference": relabel(source_labels=["a"], target_label="b", regex="(x)\\1"),
    "unknown action": relabel(action="frobnicate", source_labels=["a"]),
    "upper case action": relabel(action="KEEP", source_labels=["a"], regex="x"),
    "hashmod without modulus": relabel(action="hashmod", source_labels=["a"], target_label="b"),
    "replace without target": relabel(source_labels=["a"]),
    "labeldrop with source": relabel(action="labeldrop", regex="x", source_labels=["a"]),
    "labeldrop with its default": relabel(action="labeldrop", regex="x", replacement="$1"),
    "keepequal with regex": relabel(action="keepequal", source_labels=["a"], target_label="b", regex="x"),
    "lowercase with replacement": relabel(action="lowercase", source_labels=["a"], target_label="b", replacement="x"),
    "null rule": job(relabel_configs=[None]),
    "null job": {"scrape_configs": [None]},
    "jobs not a list": {"scrape_configs": {"a": 1}},
    "target a number": job(static_configs=[{"targets": [9100]}]),
    "target not a list": job(static_configs=[{"targets": "h:1"}]),
    "static labels a list": job(static_configs=[{"targets": ["h:1"], "labels": ["x"]}]),
    "file_sd": job(static_configs=[], file_sd_configs=[{"files": ["x/*.json"]}]),
    "file_sd of another kind": job(static_configs=[], file_sd_configs=[{"files": ["x.txt"]}]),
    "file_sd star in folder": job(static_configs=[], file_sd_configs=[{"files": ["*/x.json"]}]),
    "file_sd without files": job(static_configs=[], file_sd_configs=[{"files": []}]),
    "http_sd": job(static_configs=[], http_sd_configs=[{"url": "http://h/x"}]),
    "http_sd without url": job(static_configs=[], http_sd_configs=[{}]),
    "http_sd ftp": job(static_configs=[], http_sd_configs=[{"url": "ftp://h/x"}]),
    "http_sd without host": job(static_configs=[], http_sd_configs=[{"url": "http:///x"}]),
    "unknown sd member": job(static_configs=[], http_sd_configs=[{"url": "http://h/x", "uri": "y"}]),
    "two credentials": job(basic_auth={"username": "u", "password": "p"}, bearer_token="t"),
    "password twice": job(basic_auth={"username": "u", "password": "p", "password_file": "f"}),
    "authorization basic": job(authorization={"type": "Basic", "credentials": "x"}),
    "tls without key": job(tls_config={"cert_file": "x"}),
    "tls version": job(tls_config={"min_version": "TLS12"}),
    "bad tls version": job(tls_config={"min_version": "TLS99"}),
    "proxy twice": job(proxy_url="http://p", proxy_from_environment=True),
    "bad proxy": job(proxy_url="http://p:port"),
    "protocols": job(scrape_protocols=["PrometheusText0.0.4"]),
    "bad protocol": job(scrape_protocols=["Gopher"]),
    "protocol twice": job(scrape_protocols=["PrometheusText0.0.4", "PrometheusText0.0.4"]),
    "no protocol": job(scrape_protocols=[]),
    "params": job(params={"a": ["1", "2"]}),
    "params text": job(params={"a": "1"}),
    "metric relabel to a bad name": job(metric_relabel_configs=[{"source_labels": ["a"], "target_label": ""}]),
    "validation legacy": job(metric_name_validation_scheme="legacy"),
    "validation unknown": job(metric_name_validation_scheme="other"),
    "honor_labels text": job(honor_labels="yes"),
    "global interval": {"global": {"scrape_interval": "5s", "scrape_timeout": "10s"}, "scrape_configs": [STATIC]},
    "global unknown": {"global": {"scrape_intervall": "5s"}},
    "external labels": {"global": {"external_labels": {"a": "b"}}, "scrape_configs": [STATIC]},
}

path = scratch() / "prometheus.yml"
for name, config in CASES.items():
    path.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    theirs = subprocess.run([server("promtool"), "check", "config", path], capture_output=True, text=True, check=False)
    ours = Allocator.run("check", "config", path)
    verdict = "accepted" if theirs.returncode == 0 else "refused"
    if not ok((theirs.returncode == 0) == (ours.code == 0), f"{name}: {verdict} by both"):
        diag(theirs.stdout + theirs.stderr)
        diag(ours.out + ours.err)

# What stands beside scraping: a line a configuration, after what promtool said when it was written.
path.with_name("there.yml").write_text("groups: []\n", encoding="utf-8")
for line in (pathlib.Path(__file__).resolve().parents[1] / "golden/promserver/cases.txt").read_text(encoding="utf-8").splitlines():
    verdict, _, config = line.partition(" ")
    if verdict != "#":
        path.write_text(config.replace("\\n", "\n"), encoding="utf-8")
        theirs = subprocess.run([server("promtool"), "check", "config", path], capture_output=True, text=True, check=False)
        ok((theirs.returncode == 0) == (verdict == "good"), f"promtool says {verdict}: {config}")
done()
