/* Calls a function of a script with integers: the program is `call_function`, the script is written by itself. */
#define _GNU_SOURCE
#include "check.h"
#include <unistd.h>

static long call(const char *module_name, const char *function_name, int count, const long *numbers)
{
    PyObject *module = PyImport_ImportModule(module_name);
    CHECK(module != NULL);
    PyObject *function = PyObject_GetAttrString(module, function_name);
    CHECK(function != NULL && PyCallable_Check(function));
    PyObject *args = PyTuple_New(count);
    for (int i = 0; i < count; i++)
        CHECK(PyTuple_SetItem(args, i, PyLong_FromLong(numbers[i])) == 0);
    PyObject *value = PyObject_CallObject(function, args);
    Py_DECREF(args);
    CHECK(value != NULL);
    long result = PyLong_AsLong(value);
    Py_DECREF(value);
    Py_DECREF(function);
    Py_DECREF(module);
    return result;
}

int main(void)
{
    char directory[] = "/tmp/hognose-call-XXXXXX", path[64];
    CHECK(mkdtemp(directory) != NULL);
    PyOS_snprintf(path, sizeof path, "%s/arithmetic.py", directory);
    FILE *script = fopen(path, "w");
    CHECK(script != NULL);
    fputs("def multiply(a, b):\n    c = 0\n    for i in range(a):\n        c = c + b\n    return c\n"
          "def fail(*args):\n    raise LookupError(*args)\n", script);
    fclose(script);

    begin();
    PyObject *sys_path = PySys_GetObject("path");
    PyObject *entry = PyUnicode_DecodeFSDefault(directory);
    CHECK(sys_path != NULL && entry != NULL && PyList_Insert(sys_path, 0, entry) == 0);
    Py_DECREF(entry);
    CHECK(PyRun_SimpleString("import sys; sys.dont_write_bytecode = True") == 0);
    CHECK(call("arithmetic", "multiply", 2, (long[]){3, 2}) == 6);
    CHECK(call("arithmetic", "multiply", 2, (long[]){-3, 2}) == 0);

    PyObject *module = PyImport_ImportModule("arithmetic");
    CHECK(PyObject_CallMethod(module, "fail", "is", 1, "two") == NULL);
    RAISED(PyExc_LookupError);
    CHECK(PyObject_CallMethod(module, "missing", NULL) == NULL);
    RAISED(PyExc_AttributeError);
    PyObject *six = PyObject_CallMethod(module, "multiply", "ii", 2, 3);
    CHECK(six != NULL && PyLong_AsLong(six) == 6);
    Py_DECREF(six);
    Py_DECREF(module);
    CHECK(PyImport_ImportModule("there_is_no_such_module") == NULL);
    RAISED(PyExc_ModuleNotFoundError);
    remove(path);
    rmdir(directory);
    return end();
}
