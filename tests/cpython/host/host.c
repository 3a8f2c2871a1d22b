/* Hognose with the C functions that CPython's tests ask for: what `_testcapi` and `_testlimitedcapi` have, as far as
 * the tests of the core list use them and the C API has what they are about. support/ has the Python side of both: C
 * code cannot define types yet. A name that is missing here is missing on purpose: the tests that want it are listed
 * in expected.txt with the reason.
 *
 * The program takes the command line of `hognose`; run.py builds it. Exit status 3: with HOGNOSE_TEST_LEAKS in the
 * environment, something was alive after the end.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <hognose.h>
#include <stdlib.h>

PyObject *init_testcapi(void);
PyObject *init_testlimitedcapi(void);
PyObject *init_testlibrary(void);

int main(int argc, char **argv)
{
    PyConfig config;
    PyStatus status;
    size_t blocks[3];
    int watched = getenv("HOGNOSE_TEST_LEAKS") != NULL;
    unsetenv("HOGNOSE_TEST_LEAKS"); /* The programs that a test starts are not watched. */
    if (PyImport_AppendInittab("_hosttestcapi", init_testcapi) < 0
        || PyImport_AppendInittab("_hosttestlimitedcapi", init_testlimitedcapi) < 0
        || PyImport_AppendInittab("_hosttestlibrary", init_testlibrary) < 0)
        return 70;
    PyConfig_InitPythonConfig(&config);
    status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_IsExit(status))
        return status.exitcode;
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    Hog_ReportLiveBlocks(watched);
    int code = Py_RunMain();
    if (watched && Hog_LiveBlocks(blocks) == 0 && (blocks[0] || blocks[1] || blocks[2])) {
        fprintf(stderr, "hognose-memstats: raw %zu mem %zu obj %zu\n", blocks[0], blocks[1], blocks[2]);
        return 3;
    }
    return code;
}
