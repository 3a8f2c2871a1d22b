/* Initializes, imports, and finalizes, many times: `thousand_lives [N [mixed]]`. The resident memory after the last
   ten lives is at most 64 KiB more than after the ten that follow the first ten: the least of the ones is compared with
   the most of the others. Pages that the C library holds without a block in them do not count: which of them it keeps
   differs from life to life. What it has in use is at most 64 KiB more as well, which is what it may keep for the thread;
   1 KiB if GLIBC_TUNABLES is set, which is to say that it keeps nothing (glibc.malloc.tcache_count=0 and mxfast=0). With
   `mixed` each life has another allocator, another kind of configuration and another door than the one before; each
   combination is compared with itself, and 1 MiB is allowed, as one allocator's free pages may lie where another's were. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* What the C library has given out and not got back, where it tells. */
static long in_use(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 now = mallinfo2();
    return (long)(now.uordblks + now.hblkhd);
#else
    return 0;
#endif
}

/* Resident memory without the pages of files, which come and go as the system likes. */
static long resident_kib(void)
{
    static char text[8192];
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    int fd = open("/proc/self/status", O_RDONLY);
    CHECK(fd >= 0);
    ssize_t count = read(fd, text, sizeof text - 1);
    CHECK(count > 0);
    text[count] = 0;
    close(fd);
    const char *line = strstr(text, "RssAnon:");
    CHECK(line != NULL);
    return atol(line + strlen("RssAnon:"));
}

/* What a life does: some of the library, a class, an exception, a cycle, and settings that are read back. */
static const char *PROGRAM = "import json, re, collections\n"
                             "assert json.loads('[1]') == [1]\n"
                             "assert re.match('a+', 'aaa')[0] == 'aaa'\n"
                             "class C(collections.OrderedDict): pass\n"
                             "c = C(); c['self'] = c\n"
                             "try: c['none']\n"
                             "except KeyError as error: kept = error\n";

static const int ALLOCATORS[] = {PYMEM_ALLOCATOR_MALLOC, PYMEM_ALLOCATOR_PYMALLOC, PYMEM_ALLOCATOR_MIMALLOC,
                                 PYMEM_ALLOCATOR_MALLOC_DEBUG};
enum { KINDS = 3, COMBINATIONS = 4 * KINDS };
/* How many lives it takes until everything has its place, and how many are looked at. */
enum { FIRST = 10 };

static void check_status(PyStatus status)
{
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
}

/* A life of combination `which`: an allocator, and an isolated or Python configuration, or one by names. */
static void begin_mixed(int which)
{
    int allocator = ALLOCATORS[which / KINDS], level = which % 3;
    if (which % KINDS == 2) {
        PyInitConfig *config = PyInitConfig_Create();
        CHECK(config != NULL);
        CHECK(PyInitConfig_SetInt(config, "allocator", allocator) == 0);
        CHECK(PyInitConfig_SetInt(config, "site_import", 0) == 0);
        CHECK(PyInitConfig_SetInt(config, "optimization_level", level) == 0);
        CHECK(Py_InitializeFromInitConfig(config) == 0);
        PyInitConfig_Free(config);
    }
    else {
        PyPreConfig before;
        PyConfig config;
        if (which % KINDS == 0) {
            PyPreConfig_InitIsolatedConfig(&before);
            PyConfig_InitIsolatedConfig(&config);
        }
        else {
            PyPreConfig_InitPythonConfig(&before);
            PyConfig_InitPythonConfig(&config);
        }
        before.allocator = allocator;
        check_status(Py_PreInitialize(&before));
        config.site_import = 0;
        config.optimization_level = level;
        config.use_hash_seed = which % 2;
        config.hash_seed = 7;
        char *arguments[] = {"program", "-q", "-", "argument"};
        check_status(PyConfig_SetBytesArgv(&config, 4, arguments));
        check_status(Py_InitializeFromConfig(&config));
        PyConfig_Clear(&config);
    }
    int value = -1;
    CHECK(PyConfig_GetInt("optimization_level", &value) == 0 && value == level);
}

int main(int argc, char **argv)
{
    int lives = argc > 1 ? atoi(argv[1]) : 1000, mixed = argc > 2, bad = 0;
    int combinations = mixed ? COMBINATIONS : 1;
    long early[COMBINATIONS] = {0}, late[COMBINATIONS] = {0};
    long early_use[COMBINATIONS] = {0}, late_use[COMBINATIONS] = {0};
    long use_allowed = getenv("GLIBC_TUNABLES") ? 1024 : 64 * 1024;
    for (int life = 0; life < lives * combinations; life++) {
        int which = life % combinations;
        if (mixed)
            begin_mixed(which);
        else
            begin();
        CHECK(PyRun_SimpleString(PROGRAM) == 0);
        if (end() != 0)
            return 1;
        long use = in_use(), now = resident_kib();
        int round = life / combinations;
        if (round >= FIRST && round < 2 * FIRST) {
            early[which] = now > early[which] ? now : early[which];
            early_use[which] = use > early_use[which] ? use : early_use[which];
        }
        if (round >= lives - FIRST) {
            late[which] = late[which] == 0 || now < late[which] ? now : late[which];
            late_use[which] = late_use[which] == 0 || use < late_use[which] ? use : late_use[which];
        }
    }
    for (int which = 0; which < combinations; which++) {
        printf("%d: %d lives: %ld KiB at the begin, %ld KiB at the end; %ld and %ld bytes in use\n", which, lives,
               early[which], late[which], early_use[which], late_use[which]);
        bad |= lives > 2 * FIRST
               && (late[which] - early[which] > (mixed ? 1024 : 64) || late_use[which] - early_use[which] > use_allowed);
    }
    return bad;
}
