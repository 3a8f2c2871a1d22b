/* Each crime against the memory domains, in a child process, under the debug hooks over each allocator; the parent
 * compares the report line by line. Without arguments it is the parent; a child gets the names of domain and crime. */
#define _GNU_SOURCE
#include "check.h"
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct domain {
    const char *name;
    char letter;
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
} domains[] = {
    {"raw", 'r', PyMem_RawMalloc, PyMem_RawCalloc, PyMem_RawRealloc, PyMem_RawFree},
    {"mem", 'm', PyMem_Malloc, PyMem_Calloc, PyMem_Realloc, PyMem_Free},
    {"obj", 'o', PyObject_Malloc, PyObject_Calloc, PyObject_Realloc, PyObject_Free},
};
enum { RAW, MEM, OBJ, DOMAINS };

/* ---- The child ---- */

/* Tells the parent the address that the report is about. */
static void *tell(void *p)
{
    printf("%p\n", p);
    fflush(stdout);
    return p;
}

static int is(const char *crime, const char *name)
{
    return strcmp(crime, name) == 0;
}

static void commit(const struct domain *d, const char *crime)
{
    unsigned char *p;
    if (is(crime, "overflow")) {
        p = tell(d->malloc(5));
        p[5] = 0x41;
        d->free(p);
    }
    else if (is(crime, "overflow-large")) {
        p = tell(d->calloc(1000, 3));
        p[3007] = 0;
        d->free(p);
    }
    else if (is(crime, "underflow")) {
        p = tell(d->malloc(20));
        p[-2] = 7;
        d->realloc(p, 30);
    }
    else if (is(crime, "empty")) {
        p = tell(d->malloc(0));
        p[0] = 1;
        d->free(p);
    }
    else if (is(crime, "wrong-domain")) {
        p = tell(d->malloc(16));
        memset(p, 0x11, 16);
        const struct domain *other = &domains[(d - domains + 1) % DOMAINS];
        other->free(p);
    }
    else if (is(crime, "double-free")) {
        p = tell(d->malloc(40));
        void *neighbour = d->malloc(40);
        d->free(p);
        d->free(p);
        d->free(neighbour);
    }
    else if (is(crime, "double-free-huge")) {
        p = tell(d->malloc(10000000));
        d->free(p);
        d->free(p);
    }
    else if (is(crime, "stack-pointer")) {
        static unsigned char local[64] __attribute__((aligned(16)));
        memset(local, 'x', sizeof local);
        d->free(tell(local + 32));
    }
    else if (is(crime, "poison")) {
        d->free(tell((void *)(uintptr_t)0xddddddddddddddddu));
    }
    else if (is(crime, "detached-malloc")) {
        PyEval_SaveThread();
        d->malloc(1);
    }
    else if (is(crime, "detached-calloc")) {
        PyEval_SaveThread();
        d->calloc(1, 1);
    }
    else if (is(crime, "detached-realloc")) {
        PyEval_SaveThread();
        d->realloc(NULL, 1);
    }
    else if (is(crime, "detached-free")) {
        PyEval_SaveThread();
        d->free(NULL);
    }
    else if (is(crime, "after-finalize")) {
        p = d->malloc(10);
        Py_FinalizeEx();
        d->free(p);
    }
    else if (is(crime, "innocent")) {
        p = d->malloc(10);
        p = d->realloc(p, 1000);
        d->free(p);
        d->free(NULL);
        PyThreadState *state = PyEval_SaveThread();
        PyMem_RawFree(PyMem_RawMalloc(100));
        PyEval_RestoreThread(state);
        exit(end());
    }
    exit(42);
}

/* ---- The parent ---- */

static char report[65536], address[64];

static void drain(int fd, char *text, size_t room)
{
    size_t n = 0;
    ssize_t got;
    while (n + 1 < room && (got = read(fd, text + n, room - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = 0;
    close(fd);
}

/* Runs a child; what waitpid says. Leaves its report and the address that it told. */
static int run(const char *allocator, const char *domain, const char *crime)
{
    int err[2], out[2], status;
    CHECK(pipe(err) == 0 && pipe(out) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(err[1], 2);
        dup2(out[1], 1);
        close(err[0]);
        close(out[0]);
        setenv("PYTHONMALLOC", allocator, 1);
        execl("/proc/self/exe", "memory_crimes", domain, crime, (char *)NULL);
        _exit(43);
    }
    close(err[1]);
    close(out[1]);
    drain(err[0], report, sizeof report);
    drain(out[0], address, sizeof address);
    address[strcspn(address, "\n")] = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static char *at;

/* The next line of the report is this one. */
static void line(const char *format, ...)
{
    char expected[512];
    va_list args;
    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    size_t n = strcspn(at, "\n");
    if (n != strlen(expected) || strncmp(at, expected, n) != 0) {
        fprintf(stderr, "expected: %s\nin the report:\n%s\n", expected, report);
        exit(1);
    }
    at += n + (at[n] != 0);
}

static void begins_with(const char *start)
{
    if (strncmp(at, start, strlen(start)) != 0) {
        fprintf(stderr, "expected a line that begins with: %s\nin the report:\n%s\n", start, report);
        exit(1);
    }
}

static unsigned char *told(void)
{
    return (unsigned char *)(uintptr_t)strtoull(address, NULL, 16);
}

static void block(char letter, size_t n)
{
    at = report;
    line("Debug memory block at address p=%s: API '%c'", address, letter);
    line("    %zu bytes originally requested", n);
}

static void good_head(void)
{
    line("    The 7 pad bytes at p-7 are FORBIDDENBYTE, as expected.");
}

static void tail(size_t n, int bad, const char *byte)
{
    if (bad < 0) {
        line("    The 8 pad bytes at tail=%p are FORBIDDENBYTE, as expected.", (void *)(told() + n));
        return;
    }
    line("    The 8 pad bytes at tail=%p are not all FORBIDDENBYTE (0xfd):", (void *)(told() + n));
    for (int i = 0; i < 8; i++)
        line("        at tail+%d: %s%s", i, i == bad ? byte : "0xfd", i == bad ? " *** OUCH" : "");
}

static void finish(const char *state, int has_thread, const char *format, ...)
{
    char text[256], expected[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(expected, sizeof expected, "Fatal Python error: %s", text);
    line("%s", expected);
    line("Python runtime state: %s", state);
    line("");
    if (has_thread) {
        begins_with("Current thread 0x");
        CHECK(strstr(at, " (most recent call first):\n  <no Python frame>\n") != NULL);
    }
}

static void advice(void)
{
    line("Enable tracemalloc to get the memory block allocation traceback");
    line("");
}

static void aborts(const char *allocator, const char *domain, const char *crime)
{
    int status = run(allocator, domain, crime);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) {
        fprintf(stderr, "%s, %s, %s: no abort, but status %x:\n%s", allocator, domain, crime, status, report);
        exit(1);
    }
}

static void judge(const char *allocator, const struct domain *d)
{
    aborts(allocator, d->name, "overflow");
    block(d->letter, 5);
    good_head();
    tail(5, 0, "0x41");
    line("    Data at p: cd cd cd cd cd");
    line("");
    advice();
    finish("initialized", 1, "_PyMem_DebugRawFree: bad trailing pad byte");

    aborts(allocator, d->name, "overflow-large");
    block(d->letter, 3000);
    good_head();
    tail(3000, 7, "0x00");
    line("    Data at p: 00 00 00 00 00 00 00 00 ... 00 00 00 00 00 00 00 00");
    line("");
    advice();
    finish("initialized", 1, "_PyMem_DebugRawFree: bad trailing pad byte");

    aborts(allocator, d->name, "underflow");
    block(d->letter, 20);
    line("    The 7 pad bytes at p-7 are not all FORBIDDENBYTE (0xfd):");
    for (int i = 7; i > 0; i--)
        line("        at p-%d: %s", i, i == 2 ? "0x07 *** OUCH" : "0xfd");
    line("    Because memory is corrupted at the start, the count of bytes requested");
    line("       may be bogus, and checking the trailing pad bytes may segfault.");
    tail(20, -1, NULL);
    line("    Data at p: cd cd cd cd cd cd cd cd ... cd cd cd cd cd cd cd cd");
    line("");
    advice();
    finish("initialized", 1, "_PyMem_DebugRawRealloc: bad leading pad byte");

    aborts(allocator, d->name, "empty");
    block(d->letter, 0);
    good_head();
    tail(0, 0, "0x01");
    line("");
    advice();
    finish("initialized", 1, "_PyMem_DebugRawFree: bad trailing pad byte");

    aborts(allocator, d->name, "wrong-domain");
    block(d->letter, 16);
    good_head();
    tail(16, -1, NULL);
    line("    Data at p: 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11");
    line("");
    advice();
    finish("initialized", 1, "_PyMem_DebugRawFree: bad ID: Allocated using API '%c', verified using API '%c'", d->letter,
           domains[(d - domains + 1) % DOMAINS].letter);

    aborts(allocator, d->name, "double-free");
    at = report;
    CHECK(strncmp(at, "Debug memory block at address p=", 32) == 0);
    CHECK((at = strstr(report, "Fatal Python error: ")) != NULL);
    finish("initialized", 1, "_PyMem_DebugRawFree: double free: the block was already freed");

    aborts(allocator, d->name, "double-free-huge");
    CHECK(strstr(report, "Fatal Python error: _PyMem_DebugRawFree: double free: ") != NULL);

    aborts(allocator, d->name, "stack-pointer");
    block('x', 8680820740569200760u);
    CHECK((at = strstr(report, "    The 8 pad bytes at tail=")) != NULL);
    CHECK(strstr(at, " cannot be read.\n    Data at p: 78 78 78 78 78 78 78 78 ... ?? ?? ?? ?? ?? ?? ?? ??\n\nEnable") != NULL);
    CHECK((at = strstr(report, "Fatal Python error: ")) != NULL);
    finish("initialized", 1, "_PyMem_DebugRawFree: bad ID: Allocated using API 'x', verified using API '%c'", d->letter);

    aborts(allocator, d->name, "poison");
    at = report;
    finish("initialized", 1,
           "_PyMem_DebugRawFree: bad pointer: 0xdddddddddddddddd (verified using API '%c') is no block's address: there is "
           "no memory that could be read",
           d->letter);

    int status = run(allocator, d->name, "innocent");
    if (status != 0 || report[0] != 0) {
        fprintf(stderr, "%s, %s: innocent, but status %x:\n%s", allocator, d->name, status, report);
        exit(1);
    }
    if (d->letter == 'r')
        return;

    static const char *const calls[][2] = {
        {"detached-malloc", "Malloc"}, {"detached-calloc", "Calloc"}, {"detached-realloc", "Realloc"}, {"detached-free", "Free"}};
    for (int i = 0; i < 4; i++) {
        aborts(allocator, d->name, calls[i][0]);
        at = report;
        finish("initialized", 0, "_PyMem_Debug%s: Python memory allocator called without holding the GIL", calls[i][1]);
        aborts(allocator, d->name, calls[i][0] + 2); /* "tached-…": the same before the initialization */
        at = report;
        finish("preinitialized", 0, "_PyMem_Debug%s: Python memory allocator called without holding the GIL", calls[i][1]);
    }
    aborts(allocator, d->name, "after-finalize");
    at = strstr(report, "Fatal Python error: ");
    CHECK(at != NULL);
    finish("unknown", 0, "_PyMem_DebugFree: Python memory allocator called without holding the GIL");
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        const struct domain *d = NULL;
        for (int i = 0; i < DOMAINS; i++)
            if (strcmp(argv[1], domains[i].name) == 0)
                d = &domains[i];
        CHECK(d != NULL);
        if (strncmp(argv[2], "tached-", 7) == 0) {
            PyPreConfig before;
            PyPreConfig_InitPythonConfig(&before);
            CHECK(!PyStatus_Exception(Py_PreInitialize(&before)));
            switch (argv[2][7]) {
            case 'm': d->malloc(1); break;
            case 'c': d->calloc(1, 1); break;
            case 'r': d->realloc(NULL, 1); break;
            default: d->free(NULL);
            }
            return 42;
        }
        begin();
        commit(d, argv[2]);
    }
    static const char *const allocators[] = {"malloc_debug", "pymalloc_debug", "mimalloc_debug"};
    for (int a = 0; a < 3; a++)
        for (int i = 0; i < DOMAINS; i++)
            judge(allocators[a], &domains[i]);
    return 0;
}
