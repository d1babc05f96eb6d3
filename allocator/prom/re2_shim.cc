#include "allocator/prom/re2_shim.h"

#include <cstdio>
#include <exception>
#include <new>
#include <re2/re2.h>
#include <string>

struct re2_shim {
    re2_shim(const re2::StringPiece &pattern, const RE2::Options &options) : re(pattern, options)
    {
    }
    RE2 re;
};

static const int max_groups = 64; /* REGEX_MAX_GROUPS */

/* What Go's regexp/syntax calls the same fault. */
static const char *go_name(RE2::ErrorCode code)
{
    switch (code) {
    case RE2::ErrorBadEscape:
        return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
        return "invalid character class";
    case RE2::ErrorBadCharRange:
        return "invalid character class range";
    case RE2::ErrorMissingBracket:
        return "missing closing ]";
    case RE2::ErrorMissingParen:
        return "missing closing )";
    case RE2::ErrorUnexpectedParen:
        return "unexpected )";
    case RE2::ErrorTrailingBackslash:
        return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
        return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
        return "invalid repeat count";
    case RE2::ErrorRepeatOp:
        return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
        return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
        return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
        return "invalid named capture";
    case RE2::ErrorPatternTooLarge:
        return "expression too large";
    case RE2::NoError:
    case RE2::ErrorInternal:
        break;
    }
    return "internal error";
}

static re2::StringPiece piece(struct span s)
{
    return re2::StringPiece(s.p == nullptr ? "" : s.p, s.len);
}

struct re2_shim *re2_shim_new(struct span pattern, int64_t max_memory, char *error,
                              size_t error_size, bool *out_too_big)
{
    *out_too_big = false;
    try {
        RE2::Options options(RE2::Quiet);
        options.set_max_mem(max_memory);
        struct re2_shim *shim = new re2_shim(piece(pattern), options);
        if (shim->re.ok()) {
            return shim;
        }
        *out_too_big = shim->re.error_code() == RE2::ErrorPatternTooLarge;
        const std::string &arg = shim->re.error_arg();
        (void)snprintf(error, error_size, "error parsing regexp: %s: `%.200s`",
                       go_name(shim->re.error_code()),
                       arg.empty() ? std::string(pattern.p, pattern.len).c_str() : arg.c_str());
        delete shim;
    } catch (const std::exception &e) {
        *out_too_big = true;
        (void)snprintf(error, error_size, "error parsing regexp: %s", e.what());
    }
    return nullptr;
}

void re2_shim_free(struct re2_shim *re)
{
    delete re;
}

/* Sixteen bytes an instruction, and as many again to run backwards, which is made when needed. */
size_t re2_shim_size(const struct re2_shim *re)
{
    return static_cast<size_t>(re->re.ProgramSize()) * 32;
}

size_t re2_shim_groups(const struct re2_shim *re)
{
    return static_cast<size_t>(re->re.NumberOfCapturingGroups());
}

size_t re2_shim_group_named(const struct re2_shim *re, struct span name, size_t after)
{
    const std::string wanted(name.p, name.len);
    for (const auto &group : re->re.CapturingGroupNames()) {
        if (static_cast<size_t>(group.first) > after && group.second == wanted) {
            return static_cast<size_t>(group.first);
        }
    }
    return 0;
}

bool re2_shim_match(const struct re2_shim *re, struct span subject, size_t start,
                    struct span *group, size_t n_groups)
{
    re2::StringPiece found[max_groups];
    const int n =
        n_groups < static_cast<size_t>(max_groups) ? static_cast<int>(n_groups) : max_groups;
    if (!re->re.Match(piece(subject), start, subject.len, RE2::UNANCHORED, found, n)) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        group[i].p = found[i].data();
        group[i].len = found[i].size();
    }
    return true;
}
