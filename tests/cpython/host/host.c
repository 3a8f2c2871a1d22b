/* Hognose with the C functions that CPython's tests ask for: what `_testcapi` and `_testlimitedcapi` have, as far as
 * the tests of the core list use them and the C API has what they are about. support/ has the Python side of both: C
 * code cannot define types yet. A name that is missing here is missing on purpose: the tests that want it are listed
 * in expected.txt with the reason.
 *
 * The program takes the command line of `hognose`; run.py builds it. The folders in HOGNOSE_TEST_PATH follow on
 * sys.path whatever the options say, as CPython's own tests lie in its library. Exit status 3: something was alive
 * after the end.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <hognose.h>
#include <stdlib.h>

PyObject *init_testcapi(void);
PyObject *init_testlimitedcapi(void);

static int extend_path(void)
{
    const char *folders = getenv("HOGNOSE_TEST_PATH");
    PyObject *path = PySys_GetObject("path"), *text, *list, *result = NULL;
    if (folders == NULL || path == NULL)
        return 0;
    text = PyUnicode_DecodeFSDefault(folders);
    list = text != NULL ? PyObject_CallMethod(text, "split", "s", ":") : NULL;
    if (list != NULL)
        result = PyObject_CallMethod(path, "extend", "O", list);
    Py_XDECREF(text);
    Py_XDECREF(list);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
    PyConfig config;
    PyStatus status;
    size_t blocks[3];
    int watched = getenv("HOGNOSE_TEST_LEAKS") != NULL;
    unsetenv("HOGNOSE_TEST_LEAKS"); /* The programs that a test starts are not watched. */
    if (PyImport_AppendInittab("_hosttestcapi", init_testcapi) < 0
        || PyImport_AppendInittab("_hosttestlimitedcapi", init_testlimitedcapi) < 0)
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
    if (extend_path() < 0) {
        PyErr_Print();
        return 70;
    }
    Hog_ReportLiveBlocks(watched);
    int code = Py_RunMain();
    if (watched && Hog_LiveBlocks(blocks) == 0 && (blocks[0] || blocks[1] || blocks[2])) {
        fprintf(stderr, "hognose-memstats: raw %zu mem %zu obj %zu\n", blocks[0], blocks[1], blocks[2]);
        return 3;
    }
    return code;
}
