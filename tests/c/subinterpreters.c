/* Sub-interpreters: configurations, isolation, switching, ends of all kinds, heaps with limits. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static const PyInterpreterConfig isolated = {
    .use_main_obmalloc = 0,
    .allow_fork = 0,
    .allow_exec = 0,
    .allow_threads = 1,
    .allow_daemon_threads = 0,
    .check_multi_interp_extensions = 1,
    .gil = PyInterpreterConfig_OWN_GIL,
};

static PyThreadState *make(PyInterpreterConfig config)
{
    PyThreadState *state = NULL;
    PyStatus status = Py_NewInterpreterFromConfig(&state, &config);
    if (PyStatus_Exception(status)) {
        fprintf(stderr, "no interpreter: %s\n", status.err_msg);
        exit(1);
    }
    CHECK(state == PyThreadState_Get());
    return state;
}

static void run(const char *code)
{
    CHECK(PyRun_SimpleString(code) == 0);
}

/* What contradicts itself is an error that says so, and leaves everything as it was. */
static void contradictions(PyThreadState *main_state)
{
    PyInterpreterConfig bad[4] = {isolated, isolated, isolated, isolated};
    const char *says[4] = {"single-phase", "own GIL", "'gil' value", "'gil' value"};
    bad[0].check_multi_interp_extensions = 0;
    bad[1].use_main_obmalloc = 1;
    bad[2].gil = 3;
    bad[3].gil = -1;
    for (int i = 0; i < 4; i++) {
        PyThreadState *state = main_state;
        PyStatus status = Py_NewInterpreterFromConfig(&state, &bad[i]);
        CHECK(PyStatus_IsError(status) && state == NULL);
        CHECK(strstr(status.err_msg, says[i]) != NULL);
        CHECK(PyThreadState_Get() == main_state && !PyErr_Occurred());
    }
    PyThreadState *state = main_state;
    CHECK(PyStatus_IsError(Py_NewInterpreterFromConfig(&state, NULL)) && state == NULL);

    Hog_InterpreterConfig config;
    Hog_InterpreterConfig_Init(&config);
    config.heap.soft = 2;
    config.heap.hard = 1;
    CHECK(PyStatus_IsError(Hog_NewInterpreter(&state, &config)) && state == NULL);
    Hog_InterpreterConfig_Init(&config);
    config.python.use_main_obmalloc = 1;
    config.python.gil = PyInterpreterConfig_SHARED_GIL;
    config.heap.hard = 1 << 20;
    CHECK(PyStatus_IsError(Hog_NewInterpreter(&state, &config)));
    config.heap.hard = HOG_NO_LIMIT;
    config.allocator = PYMEM_ALLOCATOR_MALLOC;
    CHECK(PyStatus_IsError(Hog_NewInterpreter(&state, &config)));
    Hog_InterpreterConfig_Init(&config);
    config.allocator = 4711;
    CHECK(PyStatus_IsError(Hog_NewInterpreter(&state, &config)));
    config.size = 3;
    CHECK(PyStatus_IsError(Hog_NewInterpreter(&state, &config)));
    CHECK(PyThreadState_Get() == main_state);
}

static int calls;

static int count_call(void *argument)
{
    calls += 1;
    CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == *(int64_t *)argument);
    return 0;
}

/* Nothing of one is seen in the other. */
static void isolation(PyThreadState *main_state, PyInterpreterConfig config)
{
    PyInterpreterState *main_interp = PyInterpreterState_Get();
    CHECK(main_interp == PyInterpreterState_Main() && PyInterpreterState_GetID(main_interp) == 0);
    run("import sys, builtins, atexit, codecs\n"
        "builtins.only_main = 1\nsys.only_main = 1\nkept = sys.intern('a string of the main one')\n"
        "codecs.register(lambda name: None)\n");
    PyThreadState *state = make(config);
    PyInterpreterState *interp = PyThreadState_GetInterpreter(state);
    int64_t id = PyInterpreterState_GetID(interp);
    CHECK(interp != main_interp && id > 0);
    CHECK(PyInterpreterState_Head() == interp && PyInterpreterState_Next(interp) == main_interp);
    CHECK(PyInterpreterState_ThreadHead(interp) == state && PyThreadState_Next(state) == NULL);
    run("import sys, builtins, atexit, gc, weakref\n"
        "assert not hasattr(builtins, 'only_main') and not hasattr(sys, 'only_main')\n"
        "assert sys.argv == [''], sys.argv\n"
        "assert sys.modules['__main__'].__dict__ is globals() and 'kept' not in globals()\n"
        "class C: pass\n"
        "class E(ValueError): pass\n"
        "ring = C(); ring.ring = ring; del ring\n"
        "assert C in object.__subclasses__() and E in ValueError.__subclasses__()\n"
        "assert gc.collect() > 0\n"
        "watched = weakref.ref(int)\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    assert error.__traceback__\n"
        "sys.stdout.write('')\n"
        "sys.setrecursionlimit(400)\n"
        "import os, re, json, threading\n"
        "assert json.loads('[1, {\"a\": 2}]') == [1, {'a': 2}]\n"
        "t = threading.Thread(target=lambda: builtins.__dict__.update(from_thread=1)); t.start(); t.join()\n"
        "assert from_thread\n"
        "atexit.register(lambda: builtins.print(end=''))\n");
    calls = 0;
    CHECK(Py_AddPendingCall(count_call, &id) == 0);
    run("for i in range(10): pass\n");
    CHECK(calls == 1);

    CHECK(PyThreadState_Swap(main_state) == state);
    run("assert builtins.only_main and C if 'C' in globals() else True\n"
        "assert not any(c.__name__ == 'C' for c in object.__subclasses__())\n"
        "assert not any(c.__name__ == 'E' for c in ValueError.__subclasses__())\n"
        "assert sys.getrecursionlimit() != 400 and not hasattr(builtins, 'from_thread')\n");
    CHECK(PyThreadState_Swap(NULL) == main_state);
    CHECK(PyThreadState_Swap(state) == NULL);
    Py_EndInterpreter(state);
    CHECK(PyThreadState_GetUnchecked() == NULL);
    CHECK(PyThreadState_Swap(main_state) == NULL);
    CHECK(PyInterpreterState_Head() == main_interp && PyInterpreterState_Next(main_interp) == NULL);
    run("del builtins.only_main, sys.only_main, kept\n");
}

/* Each permission is one. */
static void permissions(PyThreadState *main_state)
{
    PyInterpreterConfig config = isolated;
    config.allow_threads = 0;
    PyThreadState *state = make(config);
    run("import os, threading\n"
        "def refused(function, *arguments):\n"
        "    try:\n        function(*arguments)\n"
        "    except RuntimeError:\n        return True\n"
        "assert refused(os.fork)\n"
        "assert refused(os.execv, '/bin/true', ['true'])\n"
        "assert refused(threading.Thread(target=print).start)\n"
        "import subprocess\n"
        "assert subprocess.run(['true']).returncode == 0\n");
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
    config.allow_threads = 1;
    state = make(config);
    run("import threading\n"
        "threading.Thread(target=int).start()\n"
        "try:\n    threading.Thread(target=int, daemon=True).start()\n"
        "except RuntimeError:\n    pass\n"
        "else:\n    raise AssertionError\n");
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
    config.allow_fork = 1;
    state = make(config);
    run("import os\n"
        "child = os.fork()\n"
        "if child == 0:\n    os._exit(7)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n");
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
}

/* Py_NewInterpreter, several at once, ended in another order than they were made. */
static void legacy(PyThreadState *main_state)
{
    PyThreadState *states[5];
    for (int i = 0; i < 5; i++) {
        states[i] = Py_NewInterpreter();
        CHECK(states[i] != NULL);
        run("import json, os\nmine = [os]\n");
    }
    int order[5] = {2, 0, 4, 3, 1};
    for (int i = 0; i < 5; i++) {
        PyThreadState_Swap(states[order[i]]);
        run("assert mine\n");
        Py_EndInterpreter(states[order[i]]);
    }
    PyThreadState_Swap(main_state);
    run("import json\nassert json.dumps([1]) == '[1]'\n");
}

/* PyInterpreterState_New and its like. */
static void bare(void)
{
    PyInterpreterState *interp = PyInterpreterState_New();
    CHECK(interp != NULL && PyInterpreterState_GetID(interp) > 0);
    PyThreadState *state = PyThreadState_New(interp);
    CHECK(state != NULL && PyThreadState_GetInterpreter(state) == interp);
    PyInterpreterState_Clear(interp);
    PyThreadState_Clear(state);
    PyThreadState_Delete(state);
    PyInterpreterState_Delete(interp);
    interp = PyInterpreterState_New();
    CHECK(PyThreadState_New(interp) != NULL);
    PyInterpreterState_Clear(interp);
    PyInterpreterState_Delete(interp);
    CHECK(PyInterpreterState_Head() == PyInterpreterState_Main());
}

/* A heap with its own allocator and limits: past the hard one that interpreter gets MemoryError, the others nothing. */
static void limits(PyThreadState *main_state)
{
    const char *debug = getenv("PYTHONMALLOC");
    int hooked = debug != NULL && strstr(debug, "_debug") != NULL;
    int kinds[3] = {hooked ? PYMEM_ALLOCATOR_MALLOC_DEBUG : PYMEM_ALLOCATOR_MALLOC,
                    hooked ? PYMEM_ALLOCATOR_PYMALLOC_DEBUG : PYMEM_ALLOCATOR_PYMALLOC,
                    hooked ? PYMEM_ALLOCATOR_MIMALLOC_DEBUG : PYMEM_ALLOCATOR_MIMALLOC};
    for (int i = 0; i < 3; i++) {
        Hog_InterpreterConfig config;
        Hog_InterpreterConfig_Init(&config);
        config.allocator = kinds[i];
        config.heap.hard = 32 << 20;
        PyThreadState *state;
        PyStatus status = Hog_NewInterpreter(&state, &config);
        CHECK(!PyStatus_Exception(status));
        size_t soft, hard;
        CHECK(Hog_GetMemoryLimit(NULL, HOG_WHOLE_HEAP, &soft, &hard) == 0);
        CHECK(soft == HOG_NO_LIMIT && hard == 32 << 20);
        run("kept = []\n"
            "try:\n"
            "    while True:\n        kept.append(bytearray(100000))\n"
            "except MemoryError:\n"
            "    assert 100 < len(kept) < 400, len(kept)\n"
            "    kept.clear()\n"
            "else:\n    raise AssertionError\n"
            "assert len(bytes(10 << 20)) == 10 << 20\n"
            "kept = [[i] for i in range(1000)]\n");
        CHECK(PyThreadState_Swap(main_state) == state);
        run("big = bytearray(64 << 20)\ndel big\n");
        PyThreadState_Swap(state);
        Py_EndInterpreter(state);
        PyThreadState_Swap(main_state);
        /* Too little for what it begins with. */
        config.heap.hard = 64 << 10;
        status = Hog_NewInterpreter(&state, &config);
        CHECK(PyStatus_IsError(status) && state == NULL && PyThreadState_Get() == main_state);
    }
}

static atomic_int inside;

static void *runs_for_ever(void *interp)
{
    PyThreadState *state = PyThreadState_New(interp);
    PyEval_RestoreThread(state);
    atomic_fetch_add(&inside, 1);
    PyRun_SimpleString("while True: pass");
    abort();
}

static void *waits_for_ever(void *interp)
{
    PyThreadState *state = PyThreadState_New(interp);
    PyEval_RestoreThread(state);
    atomic_fetch_add(&inside, 1);
    PyRun_SimpleString("import time\nwhile True: time.sleep(0.001)");
    abort();
}

/* One that has threads inside ends all the same, and the others go on. */
static void ended_with_threads(PyThreadState *main_state)
{
    PyThreadState *other = make(isolated);
    run("kept = list(range(1000))\n");
    PyThreadState *state = make(isolated);
    PyInterpreterState *interp = PyThreadState_GetInterpreter(state);
    PyThreadState *never_attached = PyThreadState_New(interp);
    CHECK(never_attached != NULL);
    atomic_store(&inside, 0);
    PyThreadState_Swap(NULL);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, runs_for_ever, interp) == 0);
    CHECK(pthread_create(&thread, NULL, waits_for_ever, interp) == 0);
    while (atomic_load(&inside) < 2) {
        usleep(200);
    }
    PyThreadState_Swap(state);
    Py_EndInterpreter(state);
    PyThreadState_Swap(other);
    run("assert sum(kept) == 499500\n");
    Py_EndInterpreter(other);
    PyThreadState_Swap(main_state);
    run("assert sum(range(1000)) == 499500\n");
}

static void *works(void *argument)
{
    PyInterpreterState *main_interp = argument;
    for (int round = 0; round < 5; round++) {
        PyThreadState *mine = PyThreadState_New(main_interp);
        PyEval_RestoreThread(mine);
        PyThreadState *state = make(isolated);
        run("import collections, functools, re\n"
            "class Node:\n    def __init__(self, n): self.children = [Node(n - 1) for _ in range(2)] if n else []\n"
            "total = 0\n"
            "for i in range(300):\n"
            "    total += len(re.findall(r'[a-z]+', 'a word and %d more' % i))\n"
            "    d = collections.OrderedDict((str(j), j) for j in range(50))\n"
            "    total += hash(('x', i, b'y')) & 1\n"
            "    try:\n        [].missing\n    except AttributeError as error:\n        str(error)\n"
            "Node(8)\n");
        Py_EndInterpreter(state);
        PyEval_RestoreThread(mine);
        PyThreadState_Clear(mine);
        PyThreadState_DeleteCurrent();
    }
    return NULL;
}

/* Several with GILs of their own at once. */
static void at_once(void)
{
    pthread_t threads[3];
    PyInterpreterState *main_interp = PyInterpreterState_Get();
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, works, main_interp) == 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    Py_END_ALLOW_THREADS
}

/* What the manual forbids ends the process, with a text that says why. */
static void fatal(const char *says, void (*crime)(void))
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        crime();
        _exit(0);
    }
    close(ends[1]);
    char text[4096] = "";
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = 0;
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (strstr(text, says) == NULL) {
        fprintf(stderr, "expected \"%s\", got: %s\n", says, text);
        exit(1);
    }
}

static void ends_main(void)
{
    Py_EndInterpreter(PyThreadState_Get());
}

static void ends_another(void)
{
    PyThreadState *main_state = PyThreadState_Get();
    PyThreadState *state = Py_NewInterpreter();
    PyThreadState_Swap(main_state);
    Py_EndInterpreter(state);
}

static PyObject *end_inside(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_EndInterpreter(PyThreadState_Get());
    return NULL;
}

static PyMethodDef end_inside_def = {"end_inside", end_inside, METH_NOARGS, NULL};

static void ends_with_a_frame(void)
{
    Py_NewInterpreter();
    PyObject *function = PyCFunction_New(&end_inside_def, NULL);
    PyObject_SetAttrString(PyImport_AddModule("__main__"), "end_inside", function);
    PyRun_SimpleString("end_inside()");
}

static void deletes_uncleared(void)
{
    PyInterpreterState_Delete(PyInterpreterState_New());
}

static void finalizes_in_another(void)
{
    Py_NewInterpreter();
    Py_FinalizeEx();
}

/* Modules of C that do not say that they can do with several interpreters. */
static struct PyModuleDef old_def = {PyModuleDef_HEAD_INIT, .m_name = "of_old", .m_size = -1};

static PyObject *init_old(void)
{
    return PyModule_Create(&old_def);
}

static PyModuleDef_Slot shared_slots[] = {{Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED},
                                          {0, NULL}};
static PyModuleDef_Slot never_slots[] = {{Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
                                         {0, NULL}};
static PyModuleDef_Slot own_slots[] = {{Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}};
static struct PyModuleDef shared_def = {PyModuleDef_HEAD_INIT, .m_name = "for_shared", .m_slots = shared_slots};
static struct PyModuleDef never_def = {PyModuleDef_HEAD_INIT, .m_name = "for_none", .m_slots = never_slots};
static struct PyModuleDef own_def = {PyModuleDef_HEAD_INIT, .m_name = "for_own", .m_slots = own_slots};

static PyObject *init_shared(void)
{
    return PyModuleDef_Init(&shared_def);
}

static PyObject *init_never(void)
{
    return PyModuleDef_Init(&never_def);
}

static PyObject *init_own(void)
{
    return PyModuleDef_Init(&own_def);
}

static void extensions(PyThreadState *main_state)
{
    const char *helper = "def can(name):\n"
                         "    try:\n        __import__(name)\n"
                         "    except ImportError as error:\n"
                         "        assert 'does not support loading in subinterpreters' in str(error), error\n"
                         "        return False\n"
                         "    return True\n";
    run("import of_old, for_shared, for_none, for_own\n");
    PyThreadState *state = make(isolated);
    run(helper);
    run("assert not can('of_old') and not can('for_shared') and not can('for_none') and can('for_own')\n");
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
    PyInterpreterConfig config = isolated;
    config.gil = PyInterpreterConfig_SHARED_GIL;
    state = make(config);
    run(helper);
    run("assert not can('of_old') and can('for_shared') and not can('for_none') and can('for_own')\n");
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
    state = Py_NewInterpreter();
    run(helper);
    run("assert can('of_old') and can('for_shared') and can('for_own')\n");
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
}

int main(void)
{
    CHECK(PyImport_AppendInittab("of_old", init_old) == 0);
    CHECK(PyImport_AppendInittab("for_shared", init_shared) == 0);
    CHECK(PyImport_AppendInittab("for_none", init_never) == 0);
    CHECK(PyImport_AppendInittab("for_own", init_own) == 0);
    PyThreadState *none = (PyThreadState *)1;
    CHECK(PyStatus_IsError(Py_NewInterpreterFromConfig(&none, &isolated)) && none == NULL);
    CHECK(PyInterpreterState_New() == NULL);
    begin();
    fatal("the main interpreter is ended by Py_FinalizeEx", ends_main);
    fatal("thread is not current", ends_another);
    fatal("thread still has a frame", ends_with_a_frame);
    fatal("was not cleared", deletes_uncleared);
    fatal("not one of the main interpreter", finalizes_in_another);
    PyThreadState *main_state = PyThreadState_Get();
    contradictions(main_state);
    PyInterpreterConfig shared_gil = isolated, shared_heap = isolated;
    shared_gil.gil = PyInterpreterConfig_SHARED_GIL;
    shared_heap.gil = PyInterpreterConfig_DEFAULT_GIL;
    shared_heap.use_main_obmalloc = 1;
    shared_heap.check_multi_interp_extensions = 0;
    isolation(main_state, isolated);
    isolation(main_state, shared_gil);
    isolation(main_state, shared_heap);
    permissions(main_state);
    legacy(main_state);
    bare();
    extensions(main_state);
    limits(main_state);
    at_once();
    if (end() != 0) {
        return 1;
    }
    /* What is left is ended by finalization. */
    begin();
    main_state = PyThreadState_Get();
    make(isolated);
    run("import json, threading, time\n"
        "threading.Thread(target=time.sleep, args=(0.01,)).start()\n");
    PyThreadState_Swap(main_state);
    CHECK(Py_NewInterpreter() != NULL);
    PyThreadState_Swap(main_state);
    CHECK(PyInterpreterState_New() != NULL);
    CHECK(PyRun_SimpleString("import warnings; warnings.simplefilter('ignore')") == 0);
    if (end() != 0) {
        return 1;
    }
    /* Last, as threads stay behind: what they hold on their stacks is not given back. */
    begin();
    ended_with_threads(PyThreadState_Get());
    CHECK(Py_FinalizeEx() == 0);
    return 0;
}
