#!/bin/sh
# scripts/demo, as 'make run' shows it, without a terminal: it must come to its end and show the documented result.
set -u
cd "$(dirname "$0")/../.."
n=0
failed=0
has() { # pattern, what
    n=$((n + 1))
    if printf '%s\n' "$out" | grep -q -e "$1"; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        printf '%s\n' "$out" | sed 's/^/# /'
        failed=1
    fi
}
out=$(scripts/demo "${OTEL_TA:-build/otel-ta}" 2>&1 </dev/null)
code=$?
n=1
[ "$code" -eq 0 ] && echo "ok 1 - comes to its end" || { echo "not ok 1 - exit code $code"; printf '%s\n' "$out" | sed 's/^/# /'; failed=1; }
has '^- *static_configs:' 'the static section goes'
has '^+ *- url: http://collector-with-ta-targetallocator:80/jobs/otel-collector/targets?collector_id=${POD_NAME}$' 'the documented URL comes'
has 'replace /spec/config' 'by a patch of spec.config'
has 'add /metadata/annotations' 'with the annotation'
has 'otel-collector  *collector-with-ta-collector-[012]  *0\.0\.0\.0:8888' 'one collector has the one target of the example'
has 'database .*10\.0\.2\.1:9187' 'the shop is served too'
n=$((n + 1))
if printf '%s\n' "$out" | grep 'database ' | grep -q '10\.0\.2\.5:'; then
    echo "not ok $n - the dropped target is with nobody"
    failed=1
else
    echo "ok $n - the dropped target is with nobody"
fi
echo "1..$n"
exit $failed
