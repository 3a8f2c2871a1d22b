/* PYTHONMALLOC=guard: crimes against sampled blocks end in a fault, and the report has both Python tracebacks. */
#define _GNU_SOURCE
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

static char *block;

/* Allocates until a block ends three quarters of the way through 16 KiB, right before a page: as every n-th does, and
   none that is not sampled. */
static PyObject *allocate(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    for (int i = 0; i < 100000; i++) {
        char *p = PyMem_Malloc(64);
        if (p != NULL && (uintptr_t)p / 16384 * 16384 + 12288 == (uintptr_t)p + 64) {
            block = p;
            Py_RETURN_NONE;
        }
        PyMem_Free(p);
    }
    return PyErr_NoMemory();
}

static PyObject *release(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    PyMem_Free(block);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"allocate", allocate, METH_NOARGS, NULL}, {"release", release, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static void prepare(void)
{
    begin();
    PyObject *dict = PyModule_GetDict(PyImport_AddModule("__main__"));
    for (PyMethodDef *def = functions; def->ml_name != NULL; def++) {
        PyObject *function = PyCFunction_New(def, NULL);
        CHECK(function != NULL && PyDict_SetItemString(dict, def->ml_name, function) == 0);
        Py_DECREF(function);
    }
    CHECK(PyRun_SimpleString("def f():\n    allocate()\ndef g():\n    release()\n") == 0);
    CHECK(PyRun_SimpleString("f()") == 0 && block != NULL);
}

static char report[65536];

static int run(const char *crime, const char *guard)
{
    int ends[2], status;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(ends[1], 2);
        setenv("PYTHONMALLOC", "guard", 1);
        setenv("PYTHONMALLOCGUARD", guard, 1);
        execl("/proc/self/exe", "guard", crime, (char *)NULL);
        _exit(43);
    }
    close(ends[1]);
    size_t n = 0;
    ssize_t got;
    while (n + 1 < sizeof report && (got = read(ends[0], report + n, sizeof report - 1 - n)) > 0)
        n += (size_t)got;
    report[n] = 0;
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void has(const char *text)
{
    if (strstr(report, text) == NULL) {
        fprintf(stderr, "not in the report: %s\n%s", text, report);
        exit(1);
    }
}

static void dies(const char *crime, int signal)
{
    int status = run(crime, "200:4096");
    if (!WIFSIGNALED(status) || WTERMSIG(status) != signal) {
        fprintf(stderr, "%s: status %x\n%s", crime, status, report);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "full") == 0) {
        begin();
        CHECK(PyRun_SimpleString("x = [[str(i)] for i in range(20000)]\ndel x") == 0);
        return end();
    }
    if (argc == 2) {
        prepare();
        if (strcmp(argv[1], "overflow") == 0)
            block[64] = 1;
        else if (strcmp(argv[1], "use-after-free") == 0) {
            CHECK(PyRun_SimpleString("g()\nx = [str(i) for i in range(10000)]") == 0);
            return block[3];
        }
        else if (strcmp(argv[1], "double-free") == 0) {
            CHECK(PyRun_SimpleString("g()") == 0);
            PyMem_Free(block);
        }
        else if (strcmp(argv[1], "underflow") == 0) {
            block[-1] = 1;
            PyMem_Free(block);
        }
        else {
            CHECK(PyRun_SimpleString("g()") == 0);
            return end();
        }
        return 42;
    }
    dies("overflow", SIGSEGV);
    has("Guard: buffer overflow: write at address ");
    has("\n    0 bytes after the end of the block below\n");
    has(": 64 bytes of the mem domain, interpreter 0\nAllocated by thread ");
    has(" (most recent call first):\n  File \"<string>\", line 2 in f\n  File \"<string>\", line 1 in <module>\n");
    dies("use-after-free", SIGSEGV);
    has("Guard: use after free: read at address ");
    has("\n    at offset 3 of the block below\n");
    has("  File \"<string>\", line 2 in f\n  File \"<string>\", line 1 in <module>\nFreed by thread ");
    has("  File \"<string>\", line 4 in g\n  File \"<string>\", line 1 in <module>\n");
    dies("double-free", SIGABRT);
    has("Fatal Python error: guard: double free: the block was already freed\nPython runtime state: initialized\n");
    dies("underflow", SIGABRT);
    has("Fatal Python error: guard: buffer underflow: written 1 bytes before the start of the block\n");
    /* Dense and rare sampling, many slots and few: a life without a crime leaves nothing. */
    static const char *const lives[][2] = {
        {"innocent", "3:8192"}, {"innocent", "200:4096"}, {"innocent", "5000"}, {"full", "1:64"}, {"full", "70:16"}};
    for (int i = 0; i < 5; i++) {
        int status = run(lives[i][0], lives[i][1]);
        if (status != 0) {
            fprintf(stderr, "%s, %s: status %x\n%s", lives[i][0], lives[i][1], status, report);
            return 1;
        }
    }
    return 0;
}
