/* PyInitConfig and PyConfig_Get: settings by names, errors in the configuration, nothing left. */
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "check.h"

static PyObject *greet(PyObject *module, PyObject *args)
{
    (void)module;
    (void)args;
    return PyUnicode_FromString("hello");
}

static PyMethodDef methods[] = {{"greet", greet, METH_NOARGS, "Says hello."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "once", NULL, -1, methods, NULL, NULL, NULL, NULL};

static PyObject *init_once(void)
{
    return PyModule_Create(&definition);
}

static void expect_error(PyInitConfig *config, const char *wanted)
{
    const char *message = NULL;
    CHECK(PyInitConfig_GetError(config, &message) == 1);
    CHECK(message != NULL && strcmp(message, wanted) == 0);
}

static void settings(void)
{
    PyInitConfig *config = PyInitConfig_Create();
    CHECK(config != NULL);
    const char *message = "x";
    CHECK(PyInitConfig_GetError(config, &message) == 0 && message == NULL);
    int64_t number = -7;
    CHECK(PyInitConfig_GetInt(config, "isolated", &number) == 0 && number == 1);
    CHECK(PyInitConfig_HasOption(config, "verbose") == 1 && PyInitConfig_HasOption(config, "verbosity") == 0);
    CHECK(PyInitConfig_SetInt(config, "verbos", 1) == -1);
    expect_error(config, "unknown config option name: verbos; did you mean 'verbose'?");
    CHECK(PyInitConfig_SetInt(config, "home", 1) == -1);
    CHECK(PyInitConfig_SetStr(config, "home", "/nowhere") == 0);
    char *text = NULL;
    CHECK(PyInitConfig_GetStr(config, "home", &text) == 0 && strcmp(text, "/nowhere") == 0);
    free(text);
    CHECK(PyInitConfig_SetStr(config, "home", NULL) == 0);
    CHECK(PyInitConfig_GetStr(config, "home", &text) == 0 && text == NULL);
    char *arguments[] = {"program", "first"};
    CHECK(PyInitConfig_SetStrList(config, "argv", 2, arguments) == 0);
    size_t length = 0;
    char **items = NULL;
    CHECK(PyInitConfig_GetStrList(config, "argv", &length, &items) == 0 && length == 2);
    CHECK(strcmp(items[1], "first") == 0);
    PyInitConfig_FreeStrList(length, items);
    PyInitConfig_Free(config);
    PyInitConfig_Free(NULL);
}

static void life(int with_module)
{
    PyInitConfig *config = PyInitConfig_Create();
    char *arguments[] = {"program", "first"};
    CHECK(PyInitConfig_SetStrList(config, "argv", 2, arguments) == 0);
    CHECK(PyInitConfig_SetInt(config, "optimization_level", 1) == 0);
    if (with_module) {
        CHECK(PyInitConfig_AddModule(config, "once", init_once) == 0);
    }
    CHECK(Py_InitializeFromInitConfig(config) == 0);
    PyInitConfig_Free(config);
    CHECK(PyRun_SimpleString("import sys\nassert sys.argv == ['program', 'first'], sys.argv\n"
                             "assert sys.flags.optimize == 1 and sys.flags.isolated == 1") == 0);
    if (with_module) {
        CHECK(PyRun_SimpleString("import once\nassert once.greet() == 'hello'") == 0);
    }
    else {
        CHECK(PyRun_SimpleString("try:\n import once\nexcept ImportError: pass\nelse: raise SystemError") == 0);
    }

    int value = 0;
    CHECK(PyConfig_GetInt("optimization_level", &value) == 0 && value == 1);
    CHECK(PyConfig_GetInt("argv", &value) == -1 && PyErr_ExceptionMatches(PyExc_TypeError));
    PyErr_Clear();
    CHECK(PyConfig_Get("verbosity") == NULL && PyErr_ExceptionMatches(PyExc_ValueError));
    PyErr_Clear();
    PyObject *names = PyConfig_Names();
    CHECK(names != NULL && PySet_Size(names) > 60);
    Py_DECREF(names);
    PyObject *two = PyLong_FromLong(2);
    CHECK(PyConfig_Set("verbose", two) == 0 && PyConfig_Set("quiet", two) == 0);
    CHECK(PyConfig_GetInt("verbose", &value) == 0 && value == 2);
    CHECK(PyRun_SimpleString("import sys\nassert sys.flags.verbose == 2 and sys.flags.quiet == 1") == 0);
    PyObject *zero = PyLong_FromLong(0);
    CHECK(PyConfig_Set("verbose", zero) == 0);
    CHECK(PyConfig_Set("home", Py_None) == -1 && PyErr_ExceptionMatches(PyExc_ValueError));
    PyErr_Clear();
    CHECK(PyConfig_Set("verbose", names == NULL ? two : Py_None) == -1 && PyErr_ExceptionMatches(PyExc_TypeError));
    PyErr_Clear();
    CHECK(PyConfig_Set("executable", Py_None) == 0);
    PyObject *executable = PyConfig_Get("executable");
    CHECK(executable == Py_None);
    Py_XDECREF(executable);
    Py_DECREF(two);
    Py_DECREF(zero);
    CHECK(Py_FinalizeEx() == 0);
}

static void exits(void)
{
    PyInitConfig *config = PyInitConfig_Create();
    char *arguments[] = {"program", "--version"};
    CHECK(PyInitConfig_SetStrList(config, "argv", 2, arguments) == 0);
    CHECK(PyInitConfig_SetInt(config, "parse_argv", 1) == 0);
    int code = -1;
    CHECK(PyInitConfig_GetExitCode(config, &code) == 0);
    CHECK(Py_InitializeFromInitConfig(config) == -1);
    CHECK(PyInitConfig_GetExitCode(config, &code) == 1 && code == 0);
    CHECK(Py_IsInitialized() == 0);
    /* The same object can be mended and used again. */
    arguments[1] = "argument";
    CHECK(PyInitConfig_SetStrList(config, "argv", 2, arguments) == 0);
    CHECK(Py_InitializeFromInitConfig(config) == 0);
    PyInitConfig_Free(config);
    CHECK(Py_FinalizeEx() == 0);
}

int main(void)
{
    settings();
    life(1);
    life(0);
    exits();
    size_t blocks[3];
    CHECK(Hog_LiveBlocks(blocks) == 0 && blocks[0] == 0 && blocks[1] == 0 && blocks[2] == 0);
    return 0;
}
