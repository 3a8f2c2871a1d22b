/* The simplest way of embedding: a program that runs text. */
#include "check.h"

int main(void)
{
    begin();
    CHECK(PyRun_SimpleString("from time import time\nx = 6 * 7\nassert time() > 0\n") == 0);
    PyObject *main_dict = PyModule_GetDict(PyImport_AddModule("__main__"));
    CHECK(PyLong_AsLong(PyDict_GetItemString(main_dict, "x")) == 42);
    /* What is raised is printed, and nothing stays raised. */
    CHECK(PyRun_SimpleString("raise ValueError('expected on stderr')") == -1);
    CHECK(PyErr_Occurred() == NULL);
    CHECK(PyRun_SimpleString("1 +") == -1);
    PyObject *locals = Py_BuildValue("{s:i}", "y", 8);
    PyObject *value = PyRun_String("x + y", Py_eval_input, main_dict, locals);
    CHECK(value != NULL && PyLong_AsLong(value) == 50);
    Py_DECREF(value);
    Py_DECREF(locals);
    return end();
}
