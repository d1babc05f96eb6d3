#!/usr/bin/env python3
"""Relabeling results equal Debian's `promtool check service-discovery` on a generated corpus.

Every job has its own rules and many targets; every target of every job is one (target, rules) pair. Both programs get the
same jobs, and what they print (discovered labels, final labels, dropped, in error) must be the same for every pair. The
corpus is the same on every run.

Debian 12 has Prometheus 2.42, otel-ta follows 3.x. So that whatever is compared is equal by specification:

 * 3.x seeds three labels about histograms, 2.42 does not: they are taken out before comparing, and no labelmap of the corpus
   matches their names.
 * 3.x allows any UTF-8 label name, 2.42 the legacy ones: otel-ta gets `metric_name_validation_scheme: legacy`.
 * `.` matches a line feed in 3.x, not in 2.42: promtool gets every balanced regex inside (?s:...), which is what 3.x does to it,
   and the default (.*) written out. Unbalanced ones, such as "a)|(b", stay as they are; they have no dot.
 * 2.42 appends a default port to an address that has none: promtool runs with no-default-scrape-port. With this 2.42 cuts off
   ports 80 and 443, which 3.x does not: no address has them.
 * When the value becomes empty, 2.42 deletes the label target_label as it is written, 3.x as it is expanded: where target_label
   has a $, the replacement has a letter.
 * (?<name>...) is newer than 2.42: the corpus writes (?P<name>...).
 * __param_<name> from `params` replaces a target's own label in 2.42, and only stands in for it in 3.x: no target of a job with
   `params` has such a label.
 * 2.42 has a bug: its discoveredLabels share memory with the final labels and show some of what rules did. They are compared in
   the jobs whose rules only keep or drop; of a target that is dropped elsewhere it is known that it is (no rule takes away uid,
   by which the others are told apart).
 * labelmap on two names that map to one: upstream takes any of them, so no two names of a target do.

PARITY_JOBS and PARITY_TARGETS make it larger, PARITY_SEED makes it another one.
"""
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile

BINARY = os.environ.get("OTEL_TA", "build/otel-ta")
JOBS = int(os.environ.get("PARITY_JOBS", "96"))
TARGETS = int(os.environ.get("PARITY_TARGETS", "48"))
SEED = int(os.environ.get("PARITY_SEED", "20261124"))
NEW_SEEDS = {
    "__convert_classic_histograms_to_nhcb__",
    "__always_scrape_classic_histograms__",
    "__scrape_native_histograms__",
}

tests = 0


def ok(condition, name, *notes):
    global tests
    tests += 1
    print(("ok" if condition else "not ok"), tests, "-", name)
    if not condition:
        for note in notes:
            for line in str(note).splitlines():
                print("#   " + line)
    sys.stdout.flush()


# ---- targets

LABELS = ["la", "lb", "lc", "ld", "__meta_x", "__meta_port", "__meta_app_name", "__meta_app_tier", "__param_q", "team"]
PARTS = ["a", "b", "ab", "c", "-", ".", ":", ";", "1", "42", "_", "x", "X", "é", "Ж", "日", "\n", " ", "$1", "ß", "foo", "prod"]


def some_text(r):
    return "".join(r.choice(PARTS) for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4, 6])))


def some_target(r, number):
    labels = {"uid": "u%d" % number}
    for name in LABELS:
        if r.random() < 0.7:
            labels[name] = some_text(r)
    if r.random() < 0.6:
        labels["__meta_port"] = r.choice(["9100", "8080", "", "99", "9102"])
    if r.random() < 0.3:
        labels["lb"] = labels.get("la", "")
    if r.random() < 0.1:
        labels["job"] = r.choice(["other", ""])
    if r.random() < 0.1:
        labels["__scrape_interval__"] = r.choice(["30s", "2m", "0s", "5s", "1m1h", "", "15"])
    if r.random() < 0.1:
        labels["__scheme__"] = r.choice(["https", "", "ftp"])
    address = r.choice(["10.0.0.%d:9100", "host-%d:8080", "[fd00::%d]:9100", "node%d", "a.b.c-%d:1"]) % number
    return {"targets": [address], "labels": labels}


# ---- rules

SOURCES = LABELS + ["__address__", "job", "nope", "__scheme__"]
ATOMS = [
    "a", "b", "ab", "foo", r"\.", ".", ".*", ".+", ".*?", ".+?", "(.*)", "(.+)", "(.+?)", "a*", "b?", "[ab]", "[^a]+", "[^b]*",
    r"\d+", r"\w+", r"(\w+)", "(a|b)", "(?:a|ab)", "(a|ab|)", "(?:a)?", "(b)?", "(?:a(b*))?", "(a.)?", "é", "[a-c]?", "(?:.b)",
    r"\s", r"\D", r"(\S*)", "[-a]", "[]a]+", "[^]a]", "a{2}", r"\-", r"[\d.]+", "(([ab])(.))?", "(?i)AB", "(?i:foo)", r"\pL+",
    r"\p{Cyrillic}?", "[[:alpha:]]", r"\Qa.\E", "(?P<n>.)", "(?-s:.*)", "^", "$", r"\b", r"\B", "(?U)a+", "(?:a|b)*", "(x|y)+",
    r"\x{e9}", "[é日]", "[^é]", ";", "(?m)^", r"\A", r"\z", "(a*)*", "(|a)+", "(?:(a)|b)*",
]
REGEXES = [
    "", "(.*)", ".*", "(.+)", ".+", "a", "foo|prod", "a|b|ab|", "(foo|prod)", "f(.)o", "([^:]+)(?::\\d+)?;(\\d+)",
    "(.+?)(:\\d+)?;(\\d+)", ".*-(a|b)", "(.*)-(.*)", "(.*?)(a|b)(.*)", "^a$", "^(a|b)$", "a)|(b", "x)|(^b", "(?P<n>a)(?P<n>b)",
    "(?P<n>a)?(?P<m>.*)", "$(SHARD);|.+;.+", "(a+)+", "((a|b)*)(.*)", "[^;]*;.*", "10\\.0\\.0\\.(\\d+):(\\d+)", "prod.*",
    ".*prod", "(?i)FOO.*", "9\\d{2,3}", "\\[.*\\]:\\d+", "(.)(.)", "(.).*(.)",
]
NAME_REGEXES = [  # for label names; none matches the seeds of 3.x
    "__meta_(.+)", "__meta_app_(.+)", "l(.)", "(l[ab])", "la|lb", "__param_(.*)", "team", "nope", "l)|(xx", "__meta_(?P<n>x|port)",
    "[a-l][a-c]", "(?:__meta_app)_(n.*|t.*)", "job",
]
REPLACEMENTS = [
    "$1", "${1}", "$0", "$2$1", "${2}-${1}", "x", "", "a$1b", "a${1}b", "$$1", "$", "${", "${}", "${1", "$-$1", "$01", "$10", "$n",
    "${n}x", "$m", "é$1", "$1é", "$1日", "pre-$1-post", "$1$1", "$3:$2:$1", "$_", "${ 1}", "$1 $2", "0644", "yes", "null", "$1_$2",
]
MAPPED = ["$1", "${1}", "m_$1", "m_${1}_z", "__tmp_$1", "__param_m_$1", "m_$0"]
PLAIN_TARGETS = ["r0", "r1", "r2", "r3", "r4", "la", "lb", "team", "__meta_x", "__param_q", "__tmp_t", "r5"]
EXPANDED_TARGETS = ["$1", "${1}", "t_${1}", "t_$1", "${1}_$2", "t${2}x", "${n}", "$1$2", "__meta_${1}"]


def some_regex(r):
    if r.random() < 0.5:
        return r.choice(REGEXES)
    return "".join(r.choice(ATOMS) for _ in range(r.randint(1, 4)))


def some_sources(r, rule):
    if r.random() < 0.95:
        rule["source_labels"] = [r.choice(SOURCES) for _ in range(r.choice([1, 1, 1, 2, 2, 3]))]
    if r.random() < 0.25:
        rule["separator"] = r.choice(["", ";", "-", "é", "\n", "$1", "/"])


def replace_rule(r):
    rule = {}
    some_sources(r, rule)
    if r.random() < 0.8:
        rule["regex"] = some_regex(r)
    if r.random() < 0.8:
        rule["replacement"] = r.choice(REPLACEMENTS)
    if r.random() < 0.2:
        rule["target_label"] = r.choice(EXPANDED_TARGETS)
        rule["replacement"] = "v" + rule.get("replacement", "$1")
    else:
        rule["target_label"] = r.choice(PLAIN_TARGETS)
    if r.random() < 0.3:
        rule["action"] = r.choice(["replace", "Replace", "REPLACE"])
    return rule


def address_rule(r):
    return r.choice([
        {"source_labels": ["__address__", "__meta_port"], "regex": "(.+?)(?::\\d+)?;(\\d+)", "replacement": "$1:$2",
         "target_label": "__address__"},
        {"source_labels": ["la"], "regex": "(.+)", "target_label": "__address__", "replacement": "$1:9"},
        {"source_labels": ["lb"], "regex": "a.*", "target_label": "__address__", "replacement": ""},
        {"source_labels": ["lb"], "regex": "(b).*", "target_label": "__address__", "replacement": "$1/x:9"},
        {"source_labels": ["__meta_port"], "regex": "9(\\d)", "target_label": "__scrape_interval__", "replacement": "$1s"},
        {"source_labels": ["__meta_port"], "regex": "(9.*)", "target_label": "__scrape_timeout__", "replacement": "${1}ms"},
        {"source_labels": ["la"], "target_label": "instance"},
        {"source_labels": ["lc"], "target_label": "job", "regex": "(.+)"},
    ])


def filter_rule(r):
    if r.random() < 0.1:  # sharding by prometheus-operator, which only an allocator neutralises
        return {"action": "keep", "source_labels": ["la", r.choice(["__tmp_disable_sharding", "lb"])], "regex": "$(SHARD);|.+;.+"}
    rule = {"action": r.choice(["keep", "drop", "drop", "Drop"])}
    some_sources(r, rule)
    rule["regex"] = r.choice([".*a.*", ".+", "[^a]*", some_regex(r), some_regex(r)])
    return rule


def equal_rule(r):
    return {"action": r.choice(["keepequal", "dropequal", "dropequal"]), "source_labels": [r.choice(["la", "nope", "lb"])],
            "target_label": r.choice(["lb", "lb", "lc"])}


def hash_rule(r):
    rule = {"action": "hashmod", "modulus": r.choice([1, 2, 3, 8, 1000, 2**32, 2**63 - 1]), "target_label": r.choice(PLAIN_TARGETS)}
    some_sources(r, rule)
    return rule


def case_rule(r):
    rule = {"action": r.choice(["lowercase", "uppercase", "UPPERCASE"]), "target_label": r.choice(PLAIN_TARGETS)}
    some_sources(r, rule)
    return rule


def names_rule(r):
    action = r.choice(["labelmap", "labelmap", "labelmap", "labeldrop", "labelkeep"])
    rule = {"action": action, "regex": r.choice(NAME_REGEXES)}
    if action == "labelmap":
        if r.random() < 0.8:
            rule["replacement"] = r.choice(MAPPED)
        if "(" not in rule["regex"] or ")|(" in rule["regex"]:
            rule["replacement"] = "m_$0"
    if action == "labelkeep" and r.random() < 0.7:
        rule["regex"] = "(?:__address__|__scrape_.*|l.*|job|__param_.*)"
    if action == "labelkeep":
        rule["regex"] += "|uid"
    return rule


MAKERS = [(replace_rule, 10), (address_rule, 2), (hash_rule, 2), (case_rule, 2), (names_rule, 3), (filter_rule, 1), (equal_rule, 1)]


FILTERS = ("keep", "drop", "keepequal", "dropequal")


def some_rules(r, number):
    if number % 8 == 0:
        return [r.choice([filter_rule, equal_rule])(r) for _ in range(r.randint(1, 2))]
    makers = [maker for maker, weight in MAKERS for _ in range(weight)]
    return [r.choice(makers)(r) for _ in range(r.choice([1, 2, 3, 5, 8, 12]))]


def some_job(r, number):
    job = {
        "job_name": "job-%d" % number,
        "static_configs": [some_target(r, k) for k in range(TARGETS)],
        "relabel_configs": some_rules(r, number),
    }
    if r.random() < 0.3:
        job["params"] = {"v": ["one", "two"], "p": ["x y"], "empty": []}
    if r.random() < 0.3:
        job["scrape_interval"] = r.choice(["30s", "90s", "1h", "1d", "2w"])
    if r.random() < 0.2:
        job["metrics_path"] = "/probe"
        job["scheme"] = "https"
    return job


# ---- the two programs


def is_balanced(regex):
    return ")|(" not in regex


def for_promtool(job):
    job = json.loads(json.dumps(job))
    for rule in job["relabel_configs"]:
        action = rule.get("action", "replace").lower()
        if action in ("replace", "keep", "drop", "labelmap", "labeldrop", "labelkeep"):
            regex = rule.get("regex", "(.*)")
            rule["regex"] = "(?s:%s)" % regex if is_balanced(regex) else regex
    return {"scrape_configs": [job]}


def for_us(job):
    return {"global": {"metric_name_validation_scheme": "legacy"}, "scrape_configs": [job]}


def run(folder, kind, config, command):
    path = os.path.join(folder, "%s-%s.yaml" % (config["scrape_configs"][0]["job_name"], kind))
    with open(path, "w", encoding="utf-8") as f:
        json.dump(config, f, ensure_ascii=False)
    done = subprocess.run(command + [path, config["scrape_configs"][0]["job_name"]], capture_output=True, timeout=120)
    try:
        return json.loads(done.stdout), done.stderr.decode()
    except ValueError:
        return None, done.stderr.decode() + done.stdout.decode()


def only_filters(job):
    return all(rule.get("action", "replace").lower() in FILTERS for rule in job["relabel_configs"])


def outcomes(results, with_discovered):
    """What is compared: the targets that are kept, as a set of texts (promtool prints them in no order), how many are dropped, how
    many are in error (of those it prints nothing else). Where discovered labels count, the dropped ones are in the set too."""
    good = set()
    for result in results:
        if "error" not in result and (result["labels"] or with_discovered):
            parts = [result["labels"], result["discoveredLabels"] if with_discovered else None]
            parts = [{k: v for k, v in part.items() if k not in NEW_SEEDS} for part in parts if part is not None]
            good.add(json.dumps(parts, ensure_ascii=False, sort_keys=True))
    errors = sum(1 for result in results if "error" in result)
    dropped = sum(1 for result in results if "error" not in result and not result["labels"])
    return good, {"in error": errors, "dropped": dropped}


def compare(folder, job):
    promtool = ["promtool", "check", "service-discovery", "--enable-feature=no-default-scrape-port", "--timeout=1s"]
    theirs, their_words = run(folder, "promtool", for_promtool(job), promtool)
    ours, our_words = run(folder, "ours", for_us(job), [BINARY, "check", "service-discovery"])
    if theirs is None and ours is None:
        return "refused", []
    if theirs is None or ours is None:
        return "odd", ["promtool: %s" % their_words, "otel-ta: %s" % our_words, json.dumps(job["relabel_configs"], ensure_ascii=False)]
    (want, want_bad), (got, got_bad) = (outcomes(results, only_filters(job)) for results in (theirs, ours))
    notes = ["only promtool: " + text for text in sorted(want - got)[:4]] + ["only otel-ta:  " + text for text in sorted(got - want)[:4]]
    if want_bad != got_bad:
        notes.append("promtool: %s, otel-ta: %s" % (want_bad, got_bad))
    if notes:
        notes.append(json.dumps(job["relabel_configs"], ensure_ascii=False))
    kept = [result for result in ours if result["labels"]]
    counts = {
        "pairs": len(ours),
        "dropped": got_bad["dropped"],
        "errors": got_bad["in error"],
        "changed": sum(1 for result in kept if public(result["discoveredLabels"]) != public(result["labels"])),
    }
    return counts, notes


def public(labels):
    return {k: v for k, v in labels.items() if not k.startswith("__meta_") and k != "instance"}


def main():
    r = random.Random(SEED)
    jobs = [some_job(r, number) for number in range(JOBS)]
    totals = {"pairs": 0, "dropped": 0, "errors": 0, "changed": 0}
    refused = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(12) as pool:
        for job, (counts, notes) in zip(jobs, pool.map(lambda job: compare(folder, job), jobs)):
            ok(not notes, "%s: %d rules, %d targets" % (job["job_name"], len(job["relabel_configs"]), TARGETS), *notes)
            if counts == "refused":
                refused += 1
            elif counts != "odd":
                for key in totals:
                    totals[key] += counts[key]
    print("# %(pairs)d pairs: %(changed)d changed, %(dropped)d dropped, %(errors)d in error" % totals, "- %d jobs refused" % refused)
    ok(totals["pairs"] >= JOBS * TARGETS * 9 // 10, "nearly every job is good", totals, refused)
    ok(min(totals["dropped"], totals["errors"]) * 50 > totals["pairs"], "dropped and erroneous targets are among them", totals)
    ok(totals["changed"] * 3 > totals["pairs"], "many are changed", totals)
    actions = {rule.get("action", "replace").lower() for job in jobs for rule in job["relabel_configs"]}
    ok(len(actions) == 11, "every action occurs", actions)
    print("1..%d" % tests)


main()
