/* Initializes, runs a little and finalizes with one allocation failing, or all from it on: `failing_lives [step [door]]`,
   for every step-th allocation, in one process. The doors: 0, an isolated PyConfig; 1, a Python one with arguments; 2,
   a PyInitConfig with strings, lists and a module. Whatever fails, the status says so, nothing is left, and the
   next life begins as the first. */
#include "check.h"

static const char *PROGRAM = "class C:\n"
                             "    def __init__(self, x): self.x = [x, {x: (x,)}]\n"
                             "def f(n):\n"
                             "    yield from (C(i) for i in range(n))\n"
                             "try:\n"
                             "    raise ValueError(sum(len(c.x) for c in f(5)))\n"
                             "except ValueError as e:\n"
                             "    assert e.args == (10,)\n";

static int door;

static PyObject *init_added(void)
{
    static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "added", NULL, -1, NULL, NULL, NULL, NULL, NULL};
    return PyModule_Create(&definition);
}

/* Initializes by a struct. */
static int begin_by_config(void)
{
    PyConfig config;
    PyStatus status;
    if (door == 0) {
        PyConfig_InitIsolatedConfig(&config);
        /* What a failing allocation leaves to be said goes nowhere. */
        status = PyConfig_SetString(&config, &config.program_name, L"failing_lives");
    }
    else {
        char *arguments[] = {"failing_lives", "-q", "-X", "one=1", "-W", "ignore", "-", "argument"};
        PyConfig_InitPythonConfig(&config);
        config.install_signal_handlers = 0;
        status = PyConfig_SetBytesArgv(&config, 8, arguments);
        if (!PyStatus_Exception(status))
            status = PyConfig_SetBytesString(&config, &config.home, "/nowhere");
        if (!PyStatus_Exception(status))
            status = PyWideStringList_Append(&config.warnoptions, L"default");
        if (!PyStatus_Exception(status))
            status = PyConfig_Read(&config);
    }
    config.site_import = 0;
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (!PyStatus_Exception(status))
        return 1;
    CHECK(PyStatus_IsError(status) && status.err_msg != NULL);
    return 0;
}

/* Initializes by names. */
static int begin_by_names(void)
{
    static const char *const arguments[] = {"failing_lives", "argument"};
    PyInitConfig *config = PyInitConfig_Create();
    CHECK(config != NULL);
    int ok = PyInitConfig_SetInt(config, "site_import", 0) == 0 &&
             PyInitConfig_SetStr(config, "program_name", "failing_lives") == 0 &&
             PyInitConfig_SetStrList(config, "argv", 2, (char *const *)arguments) == 0 &&
             PyInitConfig_AddModule(config, "added", init_added) == 0 && Py_InitializeFromInitConfig(config) == 0;
    if (!ok) {
        const char *message = NULL;
        CHECK(PyInitConfig_GetError(config, &message) == 1 && message != NULL && message[0] != 0);
    }
    PyInitConfig_Free(config);
    return ok;
}

/* One life; 0 when nothing has failed, 1 when the initialization has, 2 when the program or the end has. */
static int live(void)
{
    if (!(door == 2 ? begin_by_names() : begin_by_config())) {
        CHECK(!Py_IsInitialized());
        return 1;
    }
    CHECK(Py_IsInitialized());
    PyObject *globals = PyModule_GetDict(PyImport_AddModule("__main__"));
    PyObject *result = globals ? PyRun_String(PROGRAM, Py_file_input, globals, globals) : NULL;
    int ok = result != NULL;
    if (!ok) {
        CHECK(PyErr_ExceptionMatches(PyExc_MemoryError) || PyErr_Occurred());
        PyErr_Clear();
    }
    Py_XDECREF(result);
    Hog_ReportLiveBlocks(1);
    if (Py_FinalizeEx() < 0)
        ok = 0;
    CHECK(!Py_IsInitialized());
    return ok ? 0 : 2;
}

static void nothing_is_left(unsigned long k, int persistent)
{
    size_t blocks[3];
    if (Hog_LiveBlocks(blocks) < 0)
        return;
    if (blocks[0] || blocks[1] || blocks[2]) {
        fprintf(stderr, "allocation %lu%s: live blocks: raw %zu, mem %zu, obj %zu\n", k,
                persistent ? " and all after it" : "", blocks[0], blocks[1], blocks[2]);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    unsigned long step = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    door = argc > 2 ? atoi(argv[2]) : 0;
    CHECK(step > 0);
    CHECK(Hog_FailAllocation(0, 1, 0) == -1 && Hog_FailAllocation(8, 1, 0) == -1);
    PyPreConfig before;
    PyPreConfig_InitPythonConfig(&before);
    CHECK(!PyStatus_Exception(Py_PreInitialize(&before)));
    /* The first life is in order. */
    CHECK(live() == 0);
    nothing_is_left(0, 0);
    for (int persistent = 0; persistent <= 1; persistent++) {
        unsigned long outcomes[3] = {0, 0, 0}, runs = 0;
        for (unsigned long k = 1;; k += step) {
            CHECK(!PyStatus_Exception(Py_PreInitialize(&before)));
            CHECK(Hog_FailAllocation(7, k, persistent) == 0);
            int outcome = live(), failed;
            uint64_t count = Hog_StopFailing(&failed);
            nothing_is_left(k, persistent);
            if (!failed) {
                CHECK(outcome == 0 && count < k);
                break;
            }
            outcomes[outcome]++;
            runs++;
        }
        printf("%s: %lu lives, %lu unharmed, %lu did not begin, %lu were cut short\n",
               persistent ? "persistent" : "once", runs, outcomes[0], outcomes[1], outcomes[2]);
        CHECK(outcomes[1] > 0);
    }
    /* The last one is in order again. */
    CHECK(!PyStatus_Exception(Py_PreInitialize(&before)));
    CHECK(live() == 0);
    nothing_is_left(0, 0);
    return 0;
}
