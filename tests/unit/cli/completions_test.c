/* Parts of the completions to the byte: the lists of commands, and one command with a flag of each
 * kind. That nothing is missing: pages_test; what the shells make of it: tests/integration/pages.t.
 */
#include "tests/check.h"
#include "webhook/cli/completion.h"

#include <stdlib.h>

static const char bash_lists[] =
    "    commands='serve rewrite restore validate check allocate explain certs version help '\n"
    "    case $command in\n"
    "    check) commands='config service-discovery ' ;;\n"
    "    certs) commands='ca show rotate ' ;;\n"
    "    esac\n";
static const char bash_command[] =
    "    'certs ca')\n"
    "        flags='--cert-dir --tls-cert-file --tls-key-file --log-level --log-format --color "
    "--help ' takes_files=0\n"
    "        case $flag in\n"
    "        --log-level) kind=words words='error warn info debug' ;;\n"
    "        --log-format) kind=words words='json logfmt pretty' ;;\n"
    "        --color) kind=words words='auto always never' ;;\n"
    "        --tls-cert-file | --tls-key-file) kind=file ;;\n"
    "        --cert-dir) kind=dir ;;\n"
    "        esac\n"
    "        ;;\n";
static const char zsh_lists[] =
    "        commands=(\n"
    "            'serve:webhook and target allocator (also without a command)'\n"
    "            'rewrite:Collector manifests in, rewritten manifests out'\n"
    "            'restore:the inverse of rewrite: the original text comes back'\n"
    "            'validate:report everything the allocator would refuse'\n"
    "            check\n"
    "            'allocate:which collector gets which target'\n"
    "            'explain:why a target is kept, dropped or invalid, rule by rule'\n"
    "            certs\n"
    "            'version:print the version'\n"
    "            'help:this overview, or the help of a command'\n"
    "        )\n"
    "    elif ((CURRENT == 3)) && [[ $command == check ]]; then\n"
    "        commands=(\n"
    "            'config:check Prometheus configuration files'\n"
    "            'service-discovery:discovered and relabeled targets of a job, as promtool prints "
    "them'\n"
    "        )\n"
    "    elif ((CURRENT == 3)) && [[ $command == certs ]]; then\n"
    "        commands=(\n"
    "            'ca:print the CA bundle that clients of the webhook should trust'\n"
    "            'show:names, issuer, validity, fingerprint and next step of each certificate'\n"
    "            'rotate:start the rotation to a new certificate authority'\n"
    "        )\n"
    "    fi\n";
static const char zsh_command[] =
    "    'certs ca')\n"
    "        _arguments -s -S \\\n"
    "            '--cert-dir=[the directory that '\\''serve --cert-dir'\\'' keeps]:DIR:_files -/' "
    "\\\n"
    "            '--tls-cert-file=[certificate of the webhook, instead of --cert-dir]:FILE:_files' "
    "\\\n"
    "            '--tls-key-file=[its private key]:FILE:_files' \\\n"
    "            '--log-level=[error, warn, info (default) or debug]:LEVEL:(error warn info "
    "debug)' \\\n"
    "            '--log-format=[json, logfmt or pretty (default: pretty on a terminal, else "
    "json)]:FORMAT:(json logfmt pretty)' \\\n"
    "            '--color=[auto (default: on a terminal, unless NO_COLOR is set or TERM is dumb), "
    "always or never]:WHEN:(auto always never)' \\\n"
    "            {-h,--help}'[this help]' \\\n"
    "            && return\n"
    "        ;;\n";
static const char fish_begin[] = "complete -c otel-ta -n '__otel_ta_is' -a check\n"
                                 "complete -c otel-ta -n '__otel_ta_is check' -a config -d 'check "
                                 "Prometheus configuration files'\n"
                                 "complete -c otel-ta -n '__otel_ta_is check config' -F\n";
static const char fish_command[] =
    "complete -c otel-ta -n '__otel_ta_is' -a certs\n"
    "complete -c otel-ta -n '__otel_ta_is certs' -a ca -d 'print the CA bundle that clients of the "
    "webhook should trust'\n"
    "complete -c otel-ta -n '__otel_ta_is certs ca' -l cert-dir -x -a "
    "'(__fish_complete_directories)' -d 'the directory that \\'serve --cert-dir\\' keeps'\n"
    "complete -c otel-ta -n '__otel_ta_is certs ca' -l tls-cert-file -r -F -d 'certificate of the "
    "webhook, instead of --cert-dir'\n"
    "complete -c otel-ta -n '__otel_ta_is certs ca' -l tls-key-file -r -F -d 'its private key'\n"
    "complete -c otel-ta -n '__otel_ta_is certs ca' -l log-level -x -a 'error warn info debug' -d "
    "'error, warn, info (default) or debug'\n"
    "complete -c otel-ta -n '__otel_ta_is certs ca' -l log-format -x -a 'json logfmt pretty' -d "
    "'json, logfmt or pretty (default: pretty on a terminal, else json)'\n"
    "complete -c otel-ta -n '__otel_ta_is certs ca' -l color -x -a 'auto always never' -d 'auto "
    "(default: on a terminal, unless NO_COLOR is set or TERM is dumb), always or never'\n"
    "complete -c otel-ta -n '__otel_ta_is certs ca' -l help -s h -d 'this help'\n"
    "complete -c otel-ta -n '__otel_ta_is certs' -a show -d 'names, issuer, validity, fingerprint "
    "and next step of each certificate'\n";

static void has(void (*write)(FILE *out), const char *part, size_t n)
{
    char *text = NULL;
    size_t len = 0, n_found = 0;
    FILE *out = open_memstream(&text, &len);

    write(out);
    fclose(out);
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
        n_found++;
    }
    is_int(n_found, n, "%zu times: %s", n, part);
    free(text);
}

int main(void)
{
    has(completion_bash, bash_lists, 1);
    has(completion_bash, bash_command, 1);
    has(completion_zsh, zsh_lists, 1);
    has(completion_zsh, zsh_command, 1);
    has(completion_fish, fish_begin, 1);
    has(completion_fish, fish_command, 1);
    /* a word that begins several commands is offered once */
    has(completion_fish, " -n '__otel_ta_is' -a certs\n", 1);
    has(completion_fish, " -n '__otel_ta_is certs' -a ", 3);
    has(completion_fish, " -n '__otel_ta_is check' -a ", 2);
    /* commands that take files */
    has(completion_fish, "__otel_ta_is check config' -F\n", 1);
    has(completion_fish, "__otel_ta_is version' -F\n", 0);
    has(completion_bash, "takes_files=1\n", 7);
    has(completion_zsh, "'*:FILE:_files'\n", 7);
    return check_done();
}
