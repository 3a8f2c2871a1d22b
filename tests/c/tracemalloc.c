/* PyTraceMalloc_Track and PyTraceMalloc_Untrack, in every state of the runtime and of tracing; and that all three
   domains are traced. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>

static void run(const char *code)
{
    CHECK(PyRun_SimpleString(code) == 0);
}

/* The blocks of a domain: how many, how many bytes, and the line of the most recent frame of one of them. */
static void look(unsigned int domain, long *count, long *bytes, long *line)
{
    char code[400];
    snprintf(code, sizeof code,
             "import _tracemalloc\n"
             "found = [t for t in _tracemalloc._get_traces() if t[0] == %u]\n"
             "count, size = len(found), sum(t[1] for t in found)\n"
             "line = found[0][2][0][1] if found else -1\n",
             domain);
    run(code);
    PyObject *names = PyModule_GetDict(PyImport_AddModule("__main__"));
    *count = PyLong_AsLong(PyDict_GetItemString(names, "count"));
    *bytes = PyLong_AsLong(PyDict_GetItemString(names, "size"));
    *line = PyLong_AsLong(PyDict_GetItemString(names, "line"));
    CHECK(!PyErr_Occurred());
}

static PyObject *track(PyObject *self, PyObject *args)
{
    (void)self;
    unsigned int domain;
    unsigned long p, size;
    if (!PyArg_ParseTuple(args, "Ikk", &domain, &p, &size))
        return NULL;
    return PyLong_FromLong(PyTraceMalloc_Track(domain, p, size));
}

static PyMethodDef METHODS[] = {{"track", track, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "tracker", NULL, 0, METHODS, NULL, NULL, NULL, NULL};

static PyObject *make(void)
{
    return PyModule_Create(&MODULE);
}

static void *in_thread(void *unused)
{
    (void)unused;
    CHECK(PyTraceMalloc_Track(9, 77, 123) == 0);
    CHECK(PyTraceMalloc_Untrack(9, 78) == 0);
    void *block = PyMem_RawMalloc(1000);
    CHECK(block != NULL);
    return block;
}

int main(void)
{
    long count, bytes, line;
    CHECK(PyTraceMalloc_Track(5, 1, 2) == -2 && PyTraceMalloc_Untrack(5, 1) == -2);
    CHECK(PyImport_AppendInittab("tracker", make) == 0);
    begin();
    CHECK(PyTraceMalloc_Track(5, 1, 2) == -2 && PyTraceMalloc_Untrack(5, 1) == -2);
    run("import _tracemalloc, tracker; _tracemalloc.start()");

    /* Any domain, address and size; a second record replaces the first. */
    CHECK(PyTraceMalloc_Track(5, 0, 0) == 0 && PyTraceMalloc_Track(5, 3, 10) == 0);
    CHECK(PyTraceMalloc_Track(5, 3, 30) == 0 && PyTraceMalloc_Track(6, 3, 1) == 0);
    look(5, &count, &bytes, &line);
    CHECK(count == 2 && bytes == 30 && line == 0);
    run("\n\ndef f():\n    return tracker.track(0xFFFFFFFF, 4, 50)\nassert f() == 0\n");
    look(0xFFFFFFFF, &count, &bytes, &line);
    CHECK(count == 1 && bytes == 50 && line == 4);
    CHECK(PyTraceMalloc_Untrack(5, 3) == 0 && PyTraceMalloc_Untrack(5, 3) == 0);
    look(5, &count, &bytes, &line);
    CHECK(count == 1 && bytes == 0);

    /* Without a thread state. */
    pthread_t thread;
    void *block;
    CHECK(pthread_create(&thread, NULL, in_thread, NULL) == 0 && pthread_join(thread, &block) == 0);
    look(9, &count, &bytes, &line);
    CHECK(count == 1 && bytes == 123 && line == 0);
    PyMem_RawFree(block);

    /* The three domains count into one sum. */
    char before[] = "before, _ = _tracemalloc.get_traced_memory()", after[] = "now, _ = _tracemalloc.get_traced_memory()";
    run(before);
    void *blocks[] = {PyMem_RawMalloc(100000), PyMem_Malloc(200000), PyObject_Calloc(3, 100000), PyMem_Malloc(0)};
    run(after);
    run("assert 600000 <= now - before < 601000, (before, now)");
    blocks[0] = PyMem_RawRealloc(blocks[0], 400000);
    blocks[1] = PyMem_Realloc(blocks[1], 10);
    run(after);
    run("assert 700010 <= now - before < 701000, (before, now)");
    PyMem_RawFree(blocks[0]);
    PyMem_Free(blocks[1]);
    PyObject_Free(blocks[2]);
    PyMem_Free(blocks[3]);
    run(after);
    run("assert abs(now - before) < 1000, (before, now)");

    /* Domain 0 by hand, for a block that the allocators know, and for one that they do not. */
    PyObject *object = PyList_New(0);
    CHECK(PyTraceMalloc_Track(0, 12345, 7) == 0 && PyTraceMalloc_Untrack(0, 12345) == 0);
    run("_tracemalloc.clear_traces()\nassert len(_tracemalloc._get_traces()) < 10");
    Py_DECREF(object);

    run("_tracemalloc.stop()");
    CHECK(PyTraceMalloc_Track(5, 1, 2) == -2 && PyTraceMalloc_Untrack(5, 1) == -2);
    run("_tracemalloc.start(3)");
    CHECK(PyTraceMalloc_Track(5, 1, 2) == 0);
    int status = end();
    CHECK(PyTraceMalloc_Track(5, 1, 2) == -2 && PyTraceMalloc_Untrack(5, 1) == -2);
    return status;
}
