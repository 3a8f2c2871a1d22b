/* What the test programs share: checks, and the start and the end of the runtime. */
#ifndef CHECK_H
#define CHECK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <hognose.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            if (Py_IsInitialized() && PyErr_Occurred())                                                                \
                PyErr_Print();                                                                                         \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The exception of a class is raised; clears it. */
#define RAISED(class)                                                                                                  \
    do {                                                                                                               \
        CHECK(PyErr_ExceptionMatches(class));                                                                          \
        PyErr_Clear();                                                                                                 \
    } while (0)

/* Initializes without site and without anything else of the surroundings but the allocator. */
static inline void begin(void)
{
    PyPreConfig before;
    PyPreConfig_InitPythonConfig(&before);
    PyStatus status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    CHECK(Py_IsInitialized());
}

/* Finalizes; 0 when no domain has a block left. */
static inline int end(void)
{
    size_t blocks[3];
    CHECK(!PyErr_Occurred());
    Hog_ReportLiveBlocks(1);
    CHECK(Py_FinalizeEx() == 0);
    CHECK(!Py_IsInitialized());
    CHECK(Hog_LiveBlocks(blocks) == 0);
    if (blocks[0] || blocks[1] || blocks[2]) {
        fprintf(stderr, "live blocks: raw %zu, mem %zu, obj %zu\n", blocks[0], blocks[1], blocks[2]);
        return 1;
    }
    return 0;
}

#endif
