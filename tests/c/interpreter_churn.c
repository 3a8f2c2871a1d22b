/* Interpreters come and go: each end gives back what its beginning has taken. The argument is how many; all under one
   GIL, or one of their own each. */
#include "check.h"
#include <sys/resource.h>

static size_t resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return (size_t)pages * 4096;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 60;
    begin();
    PyThreadState *main_state = PyThreadState_Get();
    size_t before = 0;
    for (int i = 0; i < count; i++) {
        Hog_InterpreterConfig config;
        Hog_InterpreterConfig_Init(&config);
        if (i % 2) {
            config.python.gil = PyInterpreterConfig_SHARED_GIL;
        }
        PyThreadState *state = NULL;
        PyStatus status = Hog_NewInterpreter(&state, &config);
        if (PyStatus_Exception(status)) {
            fprintf(stderr, "%s\n", status.err_msg);
            return 1;
        }
        CHECK(PyRun_SimpleString("kept = [[i] for i in range(2000)]\n"
                                 "class C:\n    def f(self): return self\n"
                                 "c = C(); c.c = c\n") == 0);
        Py_EndInterpreter(state);
        PyThreadState_Swap(main_state);
        if (i == count / 3) {
            before = resident();
        }
    }
    size_t after = resident();
    /* Room for what the C library keeps; one interpreter takes more than a megabyte. */
    if (after > before + (3 << 20)) {
        fprintf(stderr, "resident: %zu KiB after a third, %zu KiB at the end\n", before >> 10, after >> 10);
        return 1;
    }
    return end();
}
