/* Makes interpreters with one allocation failing, or all from it on: `failing_interpreters [step]`, for every step-th
   allocation, first while the image is made from which they are copied, then of a copy. Whatever fails, the status says
   so, the main interpreter's state is attached and its heap is what it was; then an interpreter can be made again. */
#include "check.h"

static PyThreadState *main_state;

static size_t blocks_of_main(void)
{
    Hog_Stats stats;
    stats.size = sizeof stats;
    CHECK(Hog_GetStats(PyInterpreterState_Main(), &stats) == 0);
    return stats.mem.live_blocks + stats.obj.live_blocks;
}

static int has_image(void)
{
    return PyRun_SimpleString("import sys\n"
                              "sys.ps1 = 'some' if sys._hognose.start_image()['blocks'] else 'none'\n") == 0 &&
           PyUnicode_CompareWithASCIIString(PySys_GetObject("ps1"), "some") == 0;
}

/* Makes and ends one; whether that went well. */
static int live(int own, unsigned long k, int persistent, int *failed)
{
    Hog_InterpreterConfig config;
    Hog_InterpreterConfig_Init(&config);
    if (!own) {
        config.python.use_main_obmalloc = 1;
        config.python.check_multi_interp_extensions = 0;
        config.python.gil = PyInterpreterConfig_SHARED_GIL;
    }
    PyThreadState *state = NULL;
    CHECK(Hog_FailAllocation(7, k, persistent) == 0);
    PyStatus status = Hog_NewInterpreter(&state, &config);
    Hog_StopFailing(failed);
    if (PyStatus_Exception(status)) {
        CHECK(*failed && PyStatus_IsError(status) && status.err_msg != NULL && state == NULL);
        CHECK(PyThreadState_Get() == main_state && !PyErr_Occurred());
        return 0;
    }
    CHECK(PyRun_SimpleString("import sys, posix\n"
                             "class C(ImportError): pass\n"
                             "assert ImportError.__subclasses__()[-1] is C and sys.path is not None\n") == 0);
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned long step = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    CHECK(step > 0);
    begin();
    main_state = PyThreadState_Get();
    int failed;
    CHECK(live(0, 0, 0, &failed));
    /* Each attempt begins the image anew, until one succeeds. */
    unsigned long tried = 0;
    for (unsigned long k = 1;; k += 40 * step) {
        size_t before = blocks_of_main();
        int made = live(0, k, 0, &failed);
        CHECK(made || failed);
        CHECK(blocks_of_main() == before);
        if (!failed)
            break;
        tried++;
    }
    /* An attempt that found something odd, as want of memory makes it, is not repeated at once. */
    for (unsigned long more = 0; !has_image(); more++) {
        CHECK(more < 1000 && live(0, 0, 0, &failed));
    }
    printf("image: %lu attempts\n", tried);
    for (int own = 0; own < 2; own++) {
        for (int persistent = 0; persistent < 2; persistent++) {
            unsigned long cut = 0, survived = 0;
            for (unsigned long k = 1;; k += step) {
                size_t before = blocks_of_main();
                int made = live(own, k, persistent, &failed);
                CHECK(blocks_of_main() == before);
                if (!failed) {
                    CHECK(made);
                    break;
                }
                *(made ? &survived : &cut) += 1;
            }
            printf("%s, %s: %lu failed, %lu went on\n", own ? "own" : "shared", persistent ? "persistent" : "once", cut,
                   survived);
            CHECK(cut > 0);
        }
    }
    return end();
}
